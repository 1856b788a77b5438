import { elementCount, type Shape } from '../core/graph/types.js';

/**
 * 1 where an element is kept, 0 where dropped. A function of the seed alone, so that the backward pass and a resumed run see
 * the same mask. Two 16-bit draws come from each state of xorshift32 (Marsaglia 2003, doi:10.18637/jss.v008.i14).
 */
export function dropoutMask(shape: Shape, probability: number, seed: number): Uint8Array {
  const mask = new Uint8Array(elementCount(shape));
  const threshold = Math.round(probability * 0x10000);
  let state = mixSeed(seed);
  for (let i = 0; i < mask.length; i += 2) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    mask[i] = (state & 0xffff) >= threshold ? 1 : 0;
    mask[i + 1] = state >>> 16 >= threshold ? 1 : 0; // beyond the end of an odd mask this writes nothing
  }
  return mask;
}

/** Combines parts of a seed into one, so that neighbours give unrelated masks. */
export function combineSeeds(...parts: number[]): number {
  return parts.reduce((seed, part) => mixSeed(Math.imul(seed, 0x01000193) ^ part), 0x811c9dc5);
}

/** The finalizer of MurmurHash3; never 0, where xorshift would stay. */
function mixSeed(seed: number): number {
  let h = seed | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h ^= h >>> 16;
  return h === 0 ? 0x9e3779b9 | 0 : h;
}
