import type { Adapter } from '../adapters/peft.js';
import type { Cancellation } from '../cancellation.js';
import type { TokenLogprobs } from './logprobs.js';
import type { Sampling } from './sampling.js';

export interface GenerateRequest {
  readonly promptIds: readonly number[];
  /** Must fit this model; null generates with the base alone. */
  readonly adapter: Adapter | null;
  /** Multiplies the adapter's effect: 0 gives exactly the base, 1 the adapter as trained. */
  readonly adapterStrength: number;
  readonly sampling: Sampling;
  readonly maxNewTokens: number;
  /** Ids that end the text and are not part of it. */
  readonly endIds: readonly number[];
  /**
   * What may be reused from a prompt that was read before. `exact`, the default: only what reading it again would reproduce bit
   * for bit, so that the same request gives the same text. `all`: everything available, for the earliest first token; it may have
   * been read in different pieces and so rounded differently.
   */
  readonly reuse?: 'exact' | 'all';
  /** Asks for the probability of every token, and for that many of the most likely ones at its place. */
  readonly topLogprobs?: number;
  /** Ends generation: at once while the request waits, else after the current token or piece of the prompt. */
  readonly signal?: Cancellation | undefined;
}

export type LogprobsRequest = Pick<GenerateRequest, 'promptIds' | 'adapter' | 'adapterStrength' | 'signal'>;

export type FinishReason = 'end' | 'length' | 'stopped';

export interface GenerateResult {
  /** Without the id that ended the text. */
  readonly ids: readonly number[];
  readonly finishReason: FinishReason;
  /** Prompt tokens that were found in the cache. */
  readonly reusedTokens: number;
  readonly promptSeconds: number;
  readonly decodeSeconds: number;
}

/** Receives each id as it is generated, with its probability if the request asks for it; returning false stops generation. */
export type OnToken = (id: number, logprobs: TokenLogprobs | null) => unknown;

/**
 * A loaded base model that generates with any adapter. Calls may overlap: they take turns, token by token and, while a prompt is
 * read, piece by piece, and each gives the result that it would give alone. The event loop runs between tokens, so that a
 * cancellation can arrive.
 */
export interface TextModel {
  /** For example, "CPU, 2 threads, int8 weights". */
  readonly description: string;
  readonly contextLength: number;
  generate(request: GenerateRequest, onToken: OnToken): Promise<GenerateResult>;
  /** Logits [V] after the given ids; for evaluation and tests. */
  logits(ids: readonly number[], adapter: Adapter | null, adapterStrength: number): Promise<Float32Array>;
  /** log p of each of `ids` after the prompt and those before it, natural logarithm; ends with an error if the signal comes first. */
  logprobs(request: LogprobsRequest, ids: readonly number[]): Promise<readonly number[]>;
  dispose(): Promise<void>;
}
