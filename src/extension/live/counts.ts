/** @file Counting what became of suggestions. Plain data, kept between sessions. */
import { lookedAtAfter, type Comparison, type Writer, type WriterCounts } from '../../protocol/completionStatistics.js';

export type Counts = readonly WriterCounts[];

/** Changes the counts of one writer. */
export type Count = (own: WriterCounts) => WriterCounts;

/** What was counted in a comparison. */
export interface ComparisonCounts {
  readonly startedAt: number;
  readonly arms: readonly [WriterCounts, WriterCounts];
}

export function shown(own: WriterCounts): WriterCounts {
  return { ...own, shown: own.shown + 1 };
}

export function accepted(text: string): Count {
  return (own) => ({ ...own, accepted: own.accepted + 1, acceptedWords: own.acceptedWords + words(text) });
}

/** `after` is one of `lookedAtAfter`. */
export function kept(after: number, { lookedAt, kept }: WriterCounts['kept'][number]): Count {
  const changed = (own: WriterCounts['kept'][number]) => ({ lookedAt: own.lookedAt + lookedAt, kept: own.kept + kept });
  return (own) => ({ ...own, kept: own.kept.map((each, index) => (lookedAtAfter[index] === after ? changed(each) : each)) });
}

/** Begins with nothing where the writer is new. */
export function countFor(counts: Counts, writer: Writer, count: Count): Counts {
  if (!counts.some((own) => isBy(own, writer))) return [...counts, count(nothingOf(writer))];
  return counts.map((own) => (isBy(own, writer) ? count(own) : own));
}

/** The newest comparison is the last; each is kept apart from the others, also from those of the same two. */
export function countIn(
  all: readonly ComparisonCounts[],
  { startedAt, writers }: Comparison,
  writer: Writer,
  count: Count,
): readonly ComparisonCounts[] {
  const [first, second] = writers;
  const own = all.find((each) => each.startedAt === startedAt)?.arms ?? [nothingOf(first), nothingOf(second)];
  const changed = (arm: WriterCounts) => (isBy(arm, writer) ? count(arm) : arm);
  const others = all.filter((each) => each.startedAt !== startedAt);
  const counted = { startedAt, arms: [changed(own[0]), changed(own[1])] } as const;
  return [...others, counted].sort((one, other) => one.startedAt - other.startedAt);
}

function isBy(own: Writer, { model, adapter }: Writer): boolean {
  return own.model === model && own.adapter === adapter;
}

function nothingOf({ model, adapter }: Writer): WriterCounts {
  return { model, adapter, shown: 0, accepted: 0, acceptedWords: 0, kept: lookedAtAfter.map(() => ({ lookedAt: 0, kept: 0 })) };
}

/** Names, numbers and words of any script. */
function words(text: string): number {
  return text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0;
}
