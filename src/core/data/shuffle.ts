import { Random } from '../random.js';

/** What shuffling is for: each use of a seed gets numbers of its own. */
export const shuffleStreams = { split: 0x53504c54, epoch: 0x45504f43 } as const;

/** 0 … count − 1 in an order that depends on the seed and stream alone (Fisher and Yates). */
export function shuffledIndices(count: number, seed: number, ...stream: number[]): Int32Array {
  const random = new Random(seed, ...stream);
  const indices = Int32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor((random.uint32() / 2 ** 32) * (last + 1));
    [indices[last], indices[other]] = [indices[other]!, indices[last]!];
  }
  return indices;
}
