import { UserError } from '../core/errors.js';
import { decodeTensor } from '../core/formats/decodeTensor.js';
import { parseSafetensors, type SafetensorsEntry } from '../core/formats/safetensors.js';
import { elementCount } from '../core/shape.js';
import type { HostTensor } from '../core/formats/hostTensor.js';
import { t } from '../l10n/text.js';
import { openFile } from './fileSource.js';

/** Reads all tensors of a safetensors file as fp32. Throws UserError naming the file and a tensor that is not a float. */
export function readTensorFile(path: string): Map<string, HostTensor> {
  const source = openFile(path);
  try {
    const tensors = new Map<string, HostTensor>();
    for (const entry of parseSafetensors(source).tensors.values()) {
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
export function floatType({ name, type }: SafetensorsEntry, path: string): 'F32' | 'F16' | 'BF16' {
  if (type === 'F32' || type === 'F16' || type === 'BF16') return type;
  throw new UserError('file-unsupported', t`${path}: the tensor ${name} is of type ${type}; F32, F16 and BF16 can be read.`);
}
