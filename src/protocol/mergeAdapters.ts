/** @file A weighted sum of adapters of one base, written as a new adapter. */

export interface MergeRequest {
  /** Folders in PEFT's format, and how much of each is taken. A negative weight subtracts. */
  readonly adapters: readonly { readonly path: string; readonly weight: number }[];
  /** The largest rank that the sum may have; null keeps the sum of the ranks, which loses nothing. */
  readonly rank: number | null;
  /** The new adapter's folder. It must not exist yet. */
  readonly out: string;
}

/** Linears brought to the lower rank, of `total`. */
export interface MergeProgress {
  readonly done: number;
  readonly total: number;
}

export interface MergeResult {
  /** Absolute. */
  readonly out: string;
  readonly baseModel: string | null;
  readonly rank: number;
  /** The sum of the adapters' ranks. */
  readonly exactRank: number;
  /** What the lower rank leaves out; null if nothing. */
  readonly loss: (RankLoss & { readonly byLinear: readonly (RankLoss & { readonly linear: string })[] }) | null;
  /** What makes the sum doubtful, in a sentence; null if nothing does. */
  readonly warning: string | null;
}

export interface RankLoss {
  /** ‖exact − truncated‖ / ‖exact‖, in the Frobenius norm. */
  readonly relativeError: number;
  /** The share of ‖exact‖² that is kept. */
  readonly energyKept: number;
}
