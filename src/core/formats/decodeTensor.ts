import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { ByteSource } from './byteSource.js';
import { bfloat16ToFloat32, float16ToFloat32 } from './float16.js';
import { blockFormats } from './ggmlBlocks.js';
import { storedBlocks, type StoredType } from './storedType.js';

/** Stored bytes to read at a time, so that the whole stored form of a tensor is never in memory next to its decoded form. */
const chunkBytes = 4 * 2 ** 20;

interface StoredTensor {
  readonly name: string;
  readonly storedType: StoredType;
  readonly offset: number;
  readonly byteLength: number;
}

/** Decodes a stored tensor to fp32. Throws UserError('file-corrupt') when a weight is NaN or infinite. */
export function decodeTensor(source: ByteSource, tensor: StoredTensor, into: Float32Array): void {
  const { storedType, offset, byteLength } = tensor;
  if (storedType === 'F32') {
    source.read(offset, new Uint8Array(into.buffer, into.byteOffset, byteLength));
  } else {
    const { elements, bytes } = storedBlocks[storedType];
    const step = Math.floor(chunkBytes / bytes) * bytes;
    const chunk = new Uint8Array(Math.min(step, byteLength));
    for (let start = 0; start < byteLength; start += step) {
      const piece = chunk.subarray(0, Math.min(step, byteLength - start));
      source.read(offset + start, piece);
      const first = (start / bytes) * elements;
      decodePiece(storedType, piece, into.subarray(first, first + (piece.length / bytes) * elements));
    }
  }
  checkFinite(source.name, tensor.name, into);
}

function decodePiece(type: Exclude<StoredType, 'F32'>, piece: Uint8Array, into: Float32Array): void {
  switch (type) {
    case 'F16':
      return float16ToFloat32(new Uint16Array(piece.buffer, piece.byteOffset, piece.length / 2), into);
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(piece.buffer, piece.byteOffset, piece.length / 2), into);
    default: {
      const { elements, bytes, decode } = blockFormats[type];
      for (let at = 0, to = 0; at < piece.length; at += bytes, to += elements) decode(piece, at, into, to);
    }
  }
}

/** Throws UserError('file-corrupt') when a weight, or a value it is computed from, is NaN or infinite. */
export function checkFinite(file: string, name: string, values: Float32Array): void {
  // x·0 is NaN exactly when x is not finite, so a single sum detects it.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  if (sum !== 0) throw notFinite(file, name);
}

/** The same check for 16-bit floats in their stored form: NaN and infinity have all exponent bits set. */
export function checkFinite16(file: string, name: string, values: Uint16Array, type: 'F16' | 'BF16'): void {
  const exponent = type === 'F16' ? 0x7c00 : 0x7f80;
  for (let i = 0; i < values.length; i++) if ((values[i]! & exponent) === exponent) throw notFinite(file, name);
}

function notFinite(file: string, name: string): UserError {
  return new UserError(
    'file-corrupt',
    t`${file}: the weight ${name} contains NaN or infinite values. The model is damaged; download it again.`,
  );
}
