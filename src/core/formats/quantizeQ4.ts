import { float16Value, float32ToFloat16 } from './float16.js';

const blockElements = 32;
const blockBytes = 18;

/** fp32 → GGML's Q4_0, as its reference quantizer does; blockFormats.Q4_0 decodes it. The length is a multiple of 32. */
export function quantizeQ4(weights: Float32Array): Uint8Array {
  const blocks = weights.length / blockElements;
  const scales = float32ToFloat16(Float32Array.from({ length: blocks }, (_, block) => blockScale(weights, block * blockElements)));
  const bytes = new Uint8Array(blocks * blockBytes);
  for (let block = 0; block < blocks; block++) {
    const at = block * blockBytes;
    const start = block * blockElements;
    bytes[at] = scales[block]! & 0xff;
    bytes[at + 1] = scales[block]! >> 8;
    const scale = float16Value(scales[block]!);
    const inverse = scale === 0 ? 0 : 1 / scale;
    for (let i = 0; i < 16; i++) {
      bytes[at + 2 + i] = code(weights[start + i]! * inverse) | (code(weights[start + 16 + i]! * inverse) << 4);
    }
  }
  return bytes;
}

/** Takes the value of largest magnitude to −8, the longer end of the range. */
function blockScale(weights: Float32Array, start: number): number {
  let largest = 0;
  for (let i = start; i < start + blockElements; i++) {
    if (Math.abs(weights[i]!) > Math.abs(largest)) largest = weights[i]!;
  }
  return largest / -8;
}

function code(scaled: number): number {
  return Math.min(15, Math.max(0, Math.floor(scaled + 8.5)));
}
