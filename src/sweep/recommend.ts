import type { SweepRecommendation, SweepRow } from '../protocol/sweep.js';

type Measured = Pick<SweepRow, 'toBest' | 'trainableParameters' | 'seconds'>;

/** Times of equal runs differ by as much on a machine that is also used for other things. */
const sameSpeed = 1.1;

/**
 * Of the runs whose loss cannot be told from the best one's, the one with the fewest parameters; of these the fastest, and of
 * equally fast ones the one with the lowest loss. A loss without an interval tells nothing, so then it is the best. Null if
 * nothing is measured.
 */
export function recommend(rows: readonly Measured[]): SweepRecommendation | null {
  const measured = rows.flatMap(({ toBest, ...row }, index) => (toBest ? [{ ...row, ...toBest, index }] : []));
  const best = least(measured, ({ difference }) => difference);
  if (!best) return null;
  const isEqual = ({ index, difference, halfInterval }: (typeof measured)[number]) =>
    index === best.index || (halfInterval !== null && difference <= halfInterval);
  const equal = measured.filter(isEqual);
  const fewest = Math.min(...equal.map(({ trainableParameters }) => trainableParameters));
  const small = equal.filter(({ trainableParameters }) => trainableParameters === fewest);
  const seconds = ({ seconds }: (typeof measured)[number]) => seconds ?? Infinity;
  const fastest = Math.min(...small.map(seconds));
  const fast = small.filter((run) => seconds(run) <= sameSpeed * fastest);
  const take = least(fast, ({ difference }) => difference)!;
  const isUncertain = measured.length > 1 && measured.every((run) => isEqual(run) || run.halfInterval === null);
  return { take: take.index, best: best.index, isUncertain };
}

function least<T>(of: readonly T[], value: (each: T) => number): T | undefined {
  return of.reduce<T | undefined>((least, each) => (least === undefined || value(each) < value(least) ? each : least), undefined);
}
