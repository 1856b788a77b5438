import type { DataFormat } from './runConfig.js';
import type { HeldOutBy } from './workspaceManifest.js';

export const leftOutKinds = [
  'credential',
  'hidden',
  'secret',
  'vendored',
  'generated',
  'data',
  'document',
  'binary',
  'otherFormat',
  'notIncluded',
  'large',
  'minified',
  'empty',
  'duplicate',
  'nearDuplicate',
  'copied',
  'older',
] as const;
export type LeftOutKind = (typeof leftOutKinds)[number];

/** The contents of a data folder, file by file; empty for a single file. */
export interface FilesOfData {
  /** The first thousand, most tokens first. */
  readonly files: readonly FileUse[];
  readonly fileCount: number;
  /** For a folder of source code, by language (VS Code's identifier) and by folder at the top, most tokens first. */
  readonly languages: readonly PartOfData[];
  readonly folders: readonly PartOfData[];
  /** How files of a folder of source code were chosen to be held out; null if none were. */
  readonly heldOutBy: HeldOutBy | null;
  /** Files and folders that are not learned from, by reason. */
  readonly leftOut: readonly LeftOutGroup[];
}

export interface FileUse {
  readonly path: string;
  readonly examples: number;
  readonly tokens: number;
  /** Chosen to be held out as a whole. */
  readonly heldOut: boolean;
}

export interface PartOfData {
  readonly name: string;
  readonly files: number;
  readonly tokens: number;
}

export interface LeftOutGroup {
  readonly kind: LeftOutKind;
  readonly count: number;
  /** The first hundred. */
  readonly files: readonly LeftOutFile[];
}

export interface LeftOutFile {
  readonly path: string;
  /** Where in the file the reason is, counted from 1. */
  readonly line?: number;
  /** The rule, or the file that it repeats. */
  readonly detail?: string;
}

/** What a run would do, determined before any training. Plain data, for both the terminal and the panel. */
export interface PreflightReport extends FilesOfData {
  /** "CPU, 2 threads, fp32 base" */
  readonly device: string;
  readonly trainableParameters: number;
  readonly totalSteps: number;
  /** As configured, or as detected. */
  readonly format: Exclude<DataFormat, 'auto'>;
  readonly training: DataSummary;
  /** Null if nothing is held out. */
  readonly evaluation: DataSummary | null;
  /** The first hundred records that were not used, and why. */
  readonly skipped: readonly SkippedRecord[];
  readonly skippedCount: number;
  /** The first training sequences as the model will see them. */
  readonly samples: readonly SampleSequence[];
  /** Things that look wrong but do not prevent the run. */
  readonly warnings: readonly string[];
  readonly estimate: StepEstimate;
}

/** Statistics of the data under a model's tokenizer; quick, since the weights are not read. Counts include held-out examples. */
export interface DataOverview extends FilesOfData {
  readonly format: Exclude<DataFormat, 'auto'>;
  readonly examples: number;
  readonly tokens: number;
  /** Examples that were cut at data.max_seq_length. */
  readonly truncated: number;
  readonly heldOut: number;
  /** Length of the longest example, in tokens. */
  readonly longest: number;
  /** The first hundred records that were not used, and why. */
  readonly skipped: readonly SkippedRecord[];
  readonly skippedCount: number;
  /** Training sequences per epoch; packed examples share one. */
  readonly rows: number;
}

/** Which examples to show: one page of those that contain `text`. */
export interface ExampleQuery {
  /** Empty for all examples. */
  readonly text: string;
  readonly offset: number;
  readonly limit: number;
}

/** The answer to a query, whose text and offset it repeats. */
export interface ExamplePage {
  readonly text: string;
  readonly offset: number;
  /** Number of examples that contain the text. */
  readonly total: number;
  readonly examples: readonly DataExample[];
}

export interface DataExample extends SampleSequence {
  readonly heldOut: boolean;
}

export interface DataSummary {
  readonly examples: number;
  readonly tokens: number;
  /** Tokens that count towards the loss. */
  readonly labelTokens: number;
  readonly shortestLength: number;
  readonly medianLength: number;
  /** The 95th percentile: nineteen out of twenty examples are no longer. */
  readonly length95: number;
  readonly longestLength: number;
  readonly histogram: readonly LengthBin[];
  /** Examples that were cut at data.max_seq_length. */
  readonly truncated: number;
}

/** Examples longer than the previous bin's limit, up to and including `upTo` tokens. */
export interface LengthBin {
  readonly upTo: number;
  readonly examples: number;
}

export interface SkippedRecord {
  /** `path:line` */
  readonly origin: string;
  readonly reason: string;
}

export interface SampleSequence {
  readonly origin: string;
  readonly tokens: readonly SampleToken[];
  /** Number of tokens cut off beyond data.max_seq_length. */
  readonly cut: number;
}

export interface SampleToken {
  readonly id: number;
  readonly text: string;
  /** Whether it counts towards the loss. */
  readonly learned: boolean;
}

/** Measured on one micro-batch; evaluation and saving come on top. */
export interface StepEstimate {
  readonly secondsPerStep: number;
  readonly totalSeconds: number;
  /** Peak of the process so far. */
  readonly peakMemoryBytes: number;
  /** What the whole run was expected to need before anything was loaded. */
  readonly expectedMemoryBytes: number;
  /** GPU memory; 0 when training on the CPU. */
  readonly expectedDeviceBytes: number;
}
