import type { DataFormat } from './runConfig.js';

export const leftOutKinds = ['hidden', 'secret', 'vendored', 'generated', 'data', 'document', 'binary', 'otherFormat'] as const;

/** What a folder of data comes to, file by file. All of it is empty for a single file. */
export interface FilesOfData {
  /** Most tokens first; the first thousand. */
  readonly files: readonly FileUse[];
  readonly fileCount: number;
  /** Files and folders that were not opened, by reason. */
  readonly leftOut: readonly LeftOutGroup[];
}

/** Held-out examples are counted. */
export interface FileUse {
  readonly path: string;
  readonly examples: number;
  readonly tokens: number;
}

export interface LeftOutGroup {
  readonly kind: (typeof leftOutKinds)[number];
  readonly count: number;
  /** The first hundred. */
  readonly paths: readonly string[];
}

/** What a run would do, found out before a minute of training is spent. Plain data, for the terminal and the panel alike. */
export interface PreflightReport extends FilesOfData {
  /** "CPU, 2 threads, fp32 base" */
  readonly device: string;
  readonly trainableParameters: number;
  readonly totalSteps: number;
  /** As asked for, or as found out. */
  readonly format: Exclude<DataFormat, 'auto'>;
  readonly training: DataSummary;
  /** null: nothing is held out. */
  readonly evaluation: DataSummary | null;
  /** What was not used, and why; the first hundred. */
  readonly skipped: readonly SkippedRecord[];
  readonly skippedCount: number;
  /** The first training sequences as the model will see them. */
  readonly samples: readonly SampleSequence[];
  /** What looks wrong though it can be done. */
  readonly warnings: readonly string[];
  readonly estimate: StepEstimate;
}

/** What data comes to with a model's tokenizer: found out in a moment, without the model's weights. Held-out examples are counted. */
export interface DataOverview extends FilesOfData {
  readonly format: Exclude<DataFormat, 'auto'>;
  readonly examples: number;
  readonly tokens: number;
  /** Examples that were cut at data.max_seq_length. */
  readonly truncated: number;
  readonly heldOut: number;
  /** Tokens of the longest example. */
  readonly longest: number;
  /** What was not used, and why; the first hundred. */
  readonly skipped: readonly SkippedRecord[];
  readonly skippedCount: number;
  /** Training sequences of an epoch: packed examples share one. */
  readonly rows: number;
}

/** Which examples to show: those that hold `text`, and of these a page. */
export interface ExampleQuery {
  /** '' for all. */
  readonly text: string;
  readonly offset: number;
  readonly limit: number;
}

/** The answer to a query, which it repeats. */
export interface ExamplePage {
  readonly text: string;
  readonly offset: number;
  /** Examples that hold the text. */
  readonly total: number;
  readonly examples: readonly DataExample[];
}

export interface DataExample extends SampleSequence {
  readonly heldOut: boolean;
}

export interface DataSummary {
  readonly examples: number;
  readonly tokens: number;
  /** Tokens that the loss counts. */
  readonly labelTokens: number;
  readonly shortestLength: number;
  readonly medianLength: number;
  /** Nineteen of twenty examples are no longer. */
  readonly length95: number;
  readonly longestLength: number;
  readonly histogram: readonly LengthBin[];
  /** Examples that were cut at data.max_seq_length. */
  readonly truncated: number;
}

/** Examples longer than the bin before, and at most `upTo`. */
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
  /** Tokens beyond data.max_seq_length, cut off. */
  readonly cut: number;
}

export interface SampleToken {
  readonly id: number;
  readonly text: string;
  /** Whether the loss counts it. */
  readonly learned: boolean;
}

/** From one measured micro-batch; evaluation and saving come on top. */
export interface StepEstimate {
  readonly secondsPerStep: number;
  readonly totalSeconds: number;
  /** Of the process, so far. */
  readonly peakMemoryBytes: number;
  /** What the whole run was expected to take before anything was loaded. */
  readonly expectedMemoryBytes: number;
  /** Of a GPU; 0 where the CPU trains. */
  readonly expectedDeviceBytes: number;
}
