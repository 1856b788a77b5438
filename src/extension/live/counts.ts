/** @file What became of suggestions, counted for each of those who wrote them. Plain data, kept between sessions. */

/** Seconds after which it is looked at what is left of an accepted suggestion. */
export const lookedAtAfter = [30, 300] as const;

/** Who writes: a base, alone or with an adapter. Paths. */
export interface Writer {
  readonly model: string;
  readonly adapter: string | null;
}

export interface WriterCounts extends Writer {
  readonly shown: number;
  readonly accepted: number;
  readonly acceptedWords: number;
  /** For each of `lookedAtAfter`. */
  readonly kept: readonly KeptCharacters[];
}

export interface KeptCharacters {
  /** Accepted characters that were looked at again, and those of them that were still there. */
  readonly lookedAt: number;
  readonly kept: number;
}

export type Counts = readonly WriterCounts[];

export function countShown(counts: Counts, writer: Writer): Counts {
  return changed(counts, writer, (own) => ({ ...own, shown: own.shown + 1 }));
}

export function countAccepted(counts: Counts, writer: Writer, text: string): Counts {
  return changed(counts, writer, (own) => ({
    ...own,
    accepted: own.accepted + 1,
    acceptedWords: own.acceptedWords + words(text),
  }));
}

/** `after` is one of `lookedAtAfter`. */
export function countKept(counts: Counts, writer: Writer, after: number, lookedAt: number, kept: number): Counts {
  return changed(counts, writer, (own) => ({
    ...own,
    kept: own.kept.map((each, index) =>
      lookedAtAfter[index] === after ? { lookedAt: each.lookedAt + lookedAt, kept: each.kept + kept } : each,
    ),
  }));
}

function changed(counts: Counts, writer: Writer, change: (own: WriterCounts) => WriterCounts): Counts {
  const isOwn = ({ model, adapter }: Writer) => model === writer.model && adapter === writer.adapter;
  if (counts.some(isOwn)) return counts.map((own) => (isOwn(own) ? change(own) : own));
  const { model, adapter } = writer;
  const kept = lookedAtAfter.map(() => ({ lookedAt: 0, kept: 0 }));
  return [...counts, change({ model, adapter, shown: 0, accepted: 0, acceptedWords: 0, kept })];
}

/** Names, numbers and words of any script. */
function words(text: string): number {
  return text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0;
}
