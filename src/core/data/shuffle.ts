import { Random } from '../random.js';

/** The purposes of shuffling: each has its own stream of random numbers for a given seed. */
export const shuffleStreams = { split: 0x53504c54, epoch: 0x45504f43 } as const;

/** 0 … count − 1 in an order that depends only on the seed and stream (Fisher–Yates). */
export function shuffledIndices(count: number, seed: number, ...stream: number[]): Int32Array {
  const random = new Random(seed, ...stream);
  const indices = Int32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor((random.uint32() / 2 ** 32) * (last + 1));
    [indices[last], indices[other]] = [indices[other]!, indices[last]!];
  }
  return indices;
}
