import type { Column } from './column.js';

/**
 * Indices, in order, of the values in [from, to) that a plot `buckets` pixels wide shows: if there are more values than that, the
 * lowest and the highest of each bucket, so that no spike is lost.
 */
export function decimate(values: Column, from: number, to: number, buckets: number): number[] {
  const count = to - from;
  if (count <= 2 * buckets) return Array.from({ length: Math.max(0, count) }, (_, offset) => from + offset);
  const kept: number[] = [from];
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = from + Math.floor((bucket * count) / buckets);
    const end = from + Math.floor(((bucket + 1) * count) / buckets);
    const [least, greatest] = values.extremes(start, end);
    for (const index of least < greatest ? [least, greatest] : [greatest, least]) {
      if (index > kept.at(-1)!) kept.push(index);
    }
  }
  if (kept.at(-1)! < to - 1) kept.push(to - 1);
  return kept;
}
