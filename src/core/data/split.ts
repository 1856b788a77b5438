import { shuffledIndices, shuffleStreams } from './shuffle.js';

/**
 * Which records are held out: a share of them, chosen by the seed, in their own order. Where there are two or more, at least one
 * is held out and one is kept; a single record, or a share of 0, holds out nothing.
 */
export function chooseHeldOut(count: number, fraction: number, seed: number): ReadonlySet<number> {
  if (count < 2 || fraction <= 0) return new Set();
  const heldOut = Math.min(count - 1, Math.max(1, Math.round(count * fraction)));
  return new Set(shuffledIndices(count, seed, shuffleStreams.split).subarray(0, heldOut));
}
