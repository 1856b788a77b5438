/** @file What became of suggestions: the panel's state, and the messages between host and page. */
import type { KeptCharacters, WriterCounts } from '../completionStatistics.js';
import { boolean, count, list, nullable, object, string, type Guard } from '../guard.js';
import { nothing, type ViewProtocol } from './view.js';

export interface CompletionStatisticsView {
  readonly state: CompletionStatisticsState;
  readonly toWebview: { readonly type: 'statistics'; readonly statistics: CompletionStatisticsState };
  readonly fromWebview: FromCompletionStatistics;
}

export interface CompletionStatisticsState {
  /** Whether suggestions are counted. */
  readonly counting: boolean;
  /** Empty while a blind comparison goes on, because these numbers would tell who writes. */
  readonly writers: readonly NamedCounts[];
  /** Blind comparisons that are over, the newest first. */
  readonly comparisons: readonly NamedComparison[];
  readonly running: RunningComparison | null;
}

/** What is counted for one writer, by its name. */
export interface NamedCounts extends WriterCounts {
  readonly name: string;
}

export interface NamedComparison {
  /** In milliseconds since 1970. */
  readonly startedAt: number;
  readonly first: NamedCounts;
  readonly second: NamedCounts;
}

/** Both together, which tells nothing about either. */
export interface RunningComparison {
  readonly names: readonly string[];
  readonly shown: number;
  readonly accepted: number;
}

export type FromCompletionStatistics =
  | { readonly type: 'wipeStatistics' }
  | { readonly type: 'setCounting'; readonly counting: boolean }
  | { readonly type: 'stopComparison' }
  | { readonly type: 'goOnComparing'; readonly startedAt: number }
  /** Lets one of two that were compared write from now on; a null adapter means the base alone. */
  | { readonly type: 'useWriter'; readonly model: string; readonly adapter: string | null };

const namedCounts: Guard<NamedCounts> = object({
  name: string,
  model: string,
  adapter: nullable(string),
  shown: count,
  accepted: count,
  acceptedWords: count,
  kept: list(object<KeptCharacters>({ lookedAt: count, kept: count })),
});

const statistics: Guard<CompletionStatisticsState> = object({
  counting: boolean,
  writers: list(namedCounts),
  comparisons: list(object<NamedComparison>({ startedAt: count, first: namedCounts, second: namedCounts })),
  running: nullable(object<RunningComparison>({ names: list(string), shown: count, accepted: count })),
});

export const completionStatistics: ViewProtocol<CompletionStatisticsView> = {
  state: statistics,
  toWebview: { statistics: object({ statistics }) },
  fromWebview: {
    wipeStatistics: nothing,
    setCounting: object({ counting: boolean }),
    stopComparison: nothing,
    goOnComparing: object({ startedAt: count }),
    useWriter: object({ model: string, adapter: nullable(string) }),
  },
};
