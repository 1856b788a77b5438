/** The label that the loss ignores, as in PyTorch and Hugging Face. */
export const ignoredLabel = -100;

/** One training sequence. Each label is the id at the same position if the loss counts it, else −100 (not yet shifted). */
export interface Example {
  readonly inputIds: Int32Array;
  readonly labels: Int32Array;
  /** `path:line`, for messages. */
  readonly origin: string;
}

/**
 * One fixed-shape batch, row-major [batchSize, sequenceLength]. Several examples may share a row (packing):
 * a token attends to earlier tokens of its own segment only, and positions restart with each segment.
 */
export interface Batch {
  readonly batchSize: number;
  readonly sequenceLength: number;
  readonly inputIds: Int32Array;
  /** Shifted: labels[t] is the id to predict after inputIds[t], or −100. */
  readonly labels: Int32Array;
  readonly positionIds: Int32Array;
  /** 0, 1, … per row; −1 for padding. */
  readonly segmentIds: Int32Array;
  /** How many labels are not −100. */
  readonly labelTokens: number;
  /** How many ids are not padding. */
  readonly tokens: number;
}
