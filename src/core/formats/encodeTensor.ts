import { float32ToBfloat16, float32ToFloat16 } from './float16.js';
import { quantize, type QuantizedType } from './quantizeBlocks.js';
import { storedBlocks } from './storedType.js';

/** The stored types that can be written. */
export type WrittenType = 'F32' | 'F16' | 'BF16' | QuantizedType;

/** The stored form of fp32 values, which are whole blocks. It may share their memory. */
export function encodeTensor(type: WrittenType, values: Float32Array): Uint8Array {
  switch (type) {
    case 'F32':
      return bytesOf(values);
    case 'F16':
      return bytesOf(float32ToFloat16(values));
    case 'BF16':
      return bytesOf(float32ToBfloat16(values));
    default:
      return quantize(type, values);
  }
}

/** Bytes that a tensor of whole blocks takes. */
export function encodedLength(type: WrittenType, elements: number): number {
  return (elements / storedBlocks[type].elements) * storedBlocks[type].bytes;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
