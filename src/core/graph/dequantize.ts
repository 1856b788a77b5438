/**
 * @file Unpacks packed matrices with primitives. No provider has a faster operator that takes the blocks as they are stored in
 * GGUF files (docs/decisions/0009).
 */
import type { GraphBuilder } from './builder.js';
import type { Value } from './types.js';

/** codes [rows, blocks, 4 · bits], scales and optional minimums [rows, blocks] → [rows, 32 · blocks]. */
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

/** The low nibbles of 16 bytes, then the high ones. Not all providers can shift bits of bytes, but fp32 holds them exactly. */
function nibbles(b: GraphBuilder, bytes: Value): Value {
  const high = b.floor(b.scale(bytes, 1 / 16));
  return b.concat([b.subtract(bytes, b.scale(high, 16)), high], 2);
}
