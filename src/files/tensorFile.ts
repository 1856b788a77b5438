import { extname } from 'node:path';
import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';
import { decodeTensor } from '../core/formats/decodeTensor.js';
import type { HostTensor } from '../core/formats/hostTensor.js';
import { parseSafetensors } from '../core/formats/safetensors.js';
import type { TensorEntry } from '../core/formats/tensorEntry.js';
import { parseTorchFile } from '../core/formats/torchFile.js';
import { elementCount } from '../core/shape.js';
import { t } from '../l10n/text.js';
import { openFile } from './fileSource.js';

/** The tensors that a file declares: a safetensors file, or one written by torch.save (.bin, .pth, .pt). */
export function tensorEntries(source: ByteSource): ReadonlyMap<string, TensorEntry> {
  const parse = extname(source.name) === '.safetensors' ? parseSafetensors : parseTorchFile;
  return parse(source).tensors;
}

/** Reads all tensors of a file as fp32. Throws UserError naming the file and a tensor that is not a float. */
export function readTensorFile(path: string): Map<string, HostTensor> {
  const source = openFile(path);
  try {
    const tensors = new Map<string, HostTensor>();
    for (const entry of tensorEntries(source).values()) {
      const data = new Float32Array(elementCount(entry.shape));
      decodeTensor(source, { ...entry, storedType: floatType(entry, path) }, data);
      tensors.set(entry.name, { shape: entry.shape, data });
    }
    return tensors;
  } finally {
    source.close();
  }
}

/** Throws UserError('file-unsupported') if the tensor is not of a supported float type. */
export function floatType({ name, type }: TensorEntry, path: string): 'F32' | 'F16' | 'BF16' {
  if (type === 'F32' || type === 'F16' || type === 'BF16') return type;
  throw new UserError('file-unsupported', t`${path}: the tensor ${name} is of type ${type}; F32, F16 and BF16 can be read.`);
}
