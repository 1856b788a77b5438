import { elementCount, type Shape } from '../core/graph/types.js';
import { hash32 } from '../core/random.js';

/**
 * 1 where an element is kept, 0 where dropped. A function of the seeds alone, so that the backward pass and a resumed run see
 * the same mask. Two 16-bit draws come from each state of xorshift32 (Marsaglia 2003, doi:10.18637/jss.v008.i14).
 */
export function dropoutMask(shape: Shape, probability: number, ...seeds: number[]): Uint8Array {
  const mask = new Uint8Array(elementCount(shape));
  const threshold = Math.round(probability * 0x10000);
  let state = hash32(...seeds) || 1; // at 0 xorshift would stay
  for (let i = 0; i < mask.length; i += 2) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    mask[i] = (state & 0xffff) >= threshold ? 1 : 0;
    mask[i + 1] = state >>> 16 >= threshold ? 1 : 0; // beyond the end of an odd mask this writes nothing
  }
  return mask;
}
