/** @file What an adapter has learned: the singular values of what it adds to each weight, and what a lower rank would keep. */

export interface SpectrumRequest {
  /** Folder in PEFT's format. */
  readonly adapter: string;
  /** Path of the base model, whose weights are what the change is measured against; null leaves that out. */
  readonly model: string | null;
  /** Folder of an adapter to compare it with; null for none. */
  readonly other: string | null;
}

/** ΔW is what the adapter adds to a weight W [out, in]: scaling · B·A. */
export interface AdapterSpectrum extends SpectrumRequest {
  /** That of the matrices. */
  readonly rank: number;
  readonly matrices: readonly MatrixSpectrum[];
  /** What the best approximation of each lower rank would keep of all ΔW together: rank, rank / 2, … 1. */
  readonly ladder: readonly RankShare[];
}

export interface MatrixSpectrum {
  readonly layer: number;
  readonly linear: string;
  /** The singular values of ΔW, largest first. */
  readonly values: readonly number[];
  /** exp(entropy) of the values: how many ranks are in use, counted by their share. */
  readonly entropyRank: number;
  /** How many ranks hold 90 % of ‖ΔW‖². */
  readonly energyRank: number;
  /** ‖ΔW‖, Frobenius. */
  readonly norm: number;
  /** ‖W‖; null if the base was not read. */
  readonly baseNorm: number | null;
  /** Null if there is no other adapter, or if it leaves this matrix as it is. */
  readonly similarity: DirectionSimilarity | null;
}

/** φ(k, k) for the leading k directions of both, where k is the smaller of their ranks for 90 % of the energy. */
export interface DirectionSimilarity {
  readonly ranks: number;
  /** Of what the matrix reads, and of what it writes. Before training, adapters of one seed read the same directions. */
  readonly input: number;
  readonly output: number;
  /** What random directions would have. */
  readonly inputByChance: number;
  readonly outputByChance: number;
}

export interface RankShare {
  readonly rank: number;
  /** Of Σ ‖ΔW‖²; 1 if all are zero. */
  readonly energyKept: number;
}

/** One weight of the adapter. */
export interface MatrixName {
  readonly layer: number;
  readonly linear: string;
}

export interface SimilarityRequest extends MatrixName {
  readonly adapter: string;
  readonly other: string;
}

/** φ(i, j) = grid[i − 1][j − 1] for the leading i directions of the adapter and the leading j of the other. */
export interface SimilarityGrids {
  readonly input: readonly (readonly number[])[];
  readonly output: readonly (readonly number[])[];
}

export interface IntruderRequest extends MatrixName {
  readonly adapter: string;
  readonly model: string;
}

export interface IntruderReport extends MatrixName {
  /** The leading singular values of W + ΔW, and how much their directions resemble any of W's, 0 to 1. */
  readonly directions: readonly { readonly value: number; readonly cosine: number }[];
  /** How many have a cosine below the threshold. */
  readonly intruders: number;
  readonly threshold: number;
}

export interface RankLossRequest {
  readonly adapter: string;
  readonly model: string;
  /** Data to measure on; null means what the adapter's run held out. */
  readonly data: string | null;
}

export interface RankLossReport {
  /** Of the adapter itself, of lower ranks made from it by SVD, and of the base (rank 0). */
  readonly losses: readonly RankLoss[];
  readonly examples: number;
  /** That the loss counts. */
  readonly tokens: number;
  /** For example "CPU, 2 threads, fp32 base". */
  readonly engine: string;
}

export interface RankLoss {
  readonly rank: number;
  /** Mean −ln p of the held-out tokens. */
  readonly loss: number;
  /** Loss minus that of the adapter itself. */
  readonly difference: number;
  /** Half of the 95 % interval of the difference, from batch to batch of the same data; null if there is only one batch. */
  readonly halfInterval: number | null;
}

/** What the ladder says about the adapter's rank. */
export type RankVerdict =
  | { readonly kind: 'nothing' }
  /** There is no lower rank to compare with. */
  | { readonly kind: 'rankOne' }
  /** The lowest rank that keeps nearly everything. */
  | { readonly kind: 'lowerWouldDo'; readonly lower: RankShare }
  /** Half of the rank already loses something. */
  | { readonly kind: 'allUsed'; readonly lower: RankShare };

/** The share of the energy that a lower rank must keep to be good enough. */
const enough = 0.95;

export function rankVerdict({ matrices, ladder }: Pick<AdapterSpectrum, 'matrices' | 'ladder'>): RankVerdict {
  if (matrices.every(({ norm }) => norm === 0)) return { kind: 'nothing' };
  const lower = ladder.slice(1);
  if (lower.length === 0) return { kind: 'rankOne' };
  const sufficient = lower.findLast(({ energyKept }) => energyKept >= enough);
  return sufficient ? { kind: 'lowerWouldDo', lower: sufficient } : { kind: 'allUsed', lower: lower[0]! };
}

export interface MeanSimilarity {
  readonly input: number;
  readonly output: number;
  readonly inputByChance: number;
  readonly outputByChance: number;
}

/** Over the matrices that both adapters change; null if there are none. */
export function meanSimilarity(matrices: readonly MatrixSpectrum[]): MeanSimilarity | null {
  const found = matrices.flatMap(({ similarity }) => similarity ?? []);
  if (found.length === 0) return null;
  const mean = (of: (each: DirectionSimilarity) => number) => found.reduce((sum, each) => sum + of(each), 0) / found.length;
  return {
    input: mean(({ input }) => input),
    output: mean(({ output }) => output),
    inputByChance: mean(({ inputByChance }) => inputByChance),
    outputByChance: mean(({ outputByChance }) => outputByChance),
  };
}
