import type { Adapter } from '../adapters/peft.js';
import type { Sampling } from './sampling.js';

export interface GenerateRequest {
  readonly promptIds: readonly number[];
  /** Made for this model; null generates with the base alone. */
  readonly adapter: Adapter | null;
  /** Multiplies the adapter's effect: 0 is the base to the bit, 1 the adapter as trained. */
  readonly adapterStrength: number;
  readonly sampling: Sampling;
  readonly maxNewTokens: number;
  /** Ids that end the text; not part of it. */
  readonly endIds: readonly number[];
  /**
   * What may be taken of a prompt that was read before. `exact`, unless said otherwise: what reading it afresh would give to the bit,
   * so that the same request gives the same text. `all`: whatever is there, for the soonest first token; read in other pieces, it was
   * rounded otherwise.
   */
  readonly reuse?: 'exact' | 'all';
}

export type FinishReason = 'end' | 'length' | 'stopped';

export interface GenerateResult {
  /** Without the id that ended it. */
  readonly ids: readonly number[];
  readonly finishReason: FinishReason;
  /** Prompt tokens that were found in the cache. */
  readonly reusedTokens: number;
  readonly promptSeconds: number;
  readonly decodeSeconds: number;
}

/**
 * A loaded base model that generates with any adapter. Calls must not overlap: each holds the device until it returns.
 * `onToken` sees each id as it comes and stops generation by returning false; between tokens the event loop turns, so that
 * a cancellation can arrive.
 */
export interface TextModel {
  /** "CPU, 2 threads, int8 weights". */
  readonly description: string;
  readonly contextLength: number;
  generate(request: GenerateRequest, onToken: (id: number) => unknown): Promise<GenerateResult>;
  /** Logits [V] after the given ids; for evaluation and tests. */
  logits(ids: readonly number[], adapter: Adapter | null, adapterStrength: number): Promise<Float32Array>;
  dispose(): Promise<void>;
}
