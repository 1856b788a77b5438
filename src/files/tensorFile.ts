import { readFileSync } from 'node:fs';
import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';
import { decodeTensor } from '../core/formats/decodeTensor.js';
import { parseSafetensors, type SafetensorsEntry } from '../core/formats/safetensors.js';
import type { HostTensor } from '../core/train/stepRunner.js';

/** Reads a whole safetensors file of floats, as adapters and checkpoints are. Throws UserError naming the file and the defect. */
export function readTensorFile(path: string): Map<string, HostTensor> {
  const source = wholeFile(path);
  const { tensors } = parseSafetensors(source);
  return new Map([...tensors.values()].map((entry) => [entry.name, readTensor(source, entry)]));
}

function readTensor(source: ByteSource, entry: SafetensorsEntry): HostTensor {
  const { name, type, shape, offset, byteLength } = entry;
  if (type !== 'F32' && type !== 'F16' && type !== 'BF16') {
    throw new UserError(
      'file-unsupported',
      `${source.name}: ${name} has type ${type}; only F32, F16 and BF16 can be used.`,
    );
  }
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  decodeTensor(source, { name, storedType: type, offset, byteLength }, data);
  return { shape, data };
}

function wholeFile(path: string): ByteSource {
  const bytes = readBytes(path);
  return {
    name: path,
    size: bytes.length,
    read: (offset, into) => void bytes.copy(into, 0, offset, offset + into.length),
    close: () => undefined,
  };
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new UserError('file-unreadable', `${path} cannot be read: ${String(cause)}.`, { cause });
  }
}
