/**
 * @file Packed matrices over primitives. No provider has an operator for this that takes the blocks as they lie in GGUF files and
 * is faster (docs/decisions/0009).
 */
import type { GraphBuilder } from './builder.js';
import type { Value } from './types.js';

/** codes [rows, blocks, 4 · bits], scales and perhaps minimums [rows, blocks] → [rows, 32 · blocks]. */
export function dequantized(b: GraphBuilder, [codes, scales, minimums]: readonly Value[], bits: 4 | 8): Value {
  const [rows, blocks] = scales!.shape as [number, number];
  const perBlock = (x: Value): Value => b.reshape(x, [rows, blocks, 1]);
  const bytes = b.cast(codes!, 'float32');
  const numbers = bits === 8 ? bytes : nibbles(b, bytes); // [rows, blocks, 32]
  const weights = minimums
    ? b.add(b.multiply(numbers, perBlock(scales!)), perBlock(minimums))
    : b.multiply(b.subtract(numbers, b.scalar(2 ** (bits - 1))), perBlock(scales!));
  return b.reshape(weights, [rows, 32 * blocks]);
}

/** The low nibbles of 16 bytes, then the high ones: providers shift no bits of bytes, but fp32 holds them exactly. */
function nibbles(b: GraphBuilder, bytes: Value): Value {
  const high = b.floor(b.scale(bytes, 1 / 16));
  return b.concat([b.subtract(bytes, b.scale(high, 16)), high], 2);
}
