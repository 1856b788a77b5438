import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import type { ModelConfig } from './config.js';
import type { GgufFields } from './ggufFields.js';
import type { HuggingFaceFields } from './huggingFaceFields.js';
import type { LinearName } from './linears.js';
import type { WeightSpec } from './weightSpec.js';

/** All that an architecture is; a new one is a file in families/, and a line in the registry. */
export interface Family {
  readonly name: string;
  /** In config.json: `model_type`, and one of `architectures`. */
  readonly modelType: string;
  readonly architecture: string;
  /** Throws UserError('file-corrupt' | 'model-unsupported') naming the file. */
  readonly readConfig: (fields: HuggingFaceFields) => ModelConfig;
  /** `architecture`: general.architecture. Null where such files belong to another family, or to none. */
  readonly gguf: { readonly architecture: string; readonly readConfig: (fields: GgufFields) => ModelConfig } | null;
  readonly weights: (config: ModelConfig) => readonly WeightSpec[];
  /** x […, H] → […, H]: a decoder layer. */
  readonly layer: (b: GraphBuilder, config: ModelConfig, x: Value, sites: LayerSites) => LayerValues;
}

// Symbols of the shape comments: H hiddenSize, Q heads·headDim, K keyValueHeads·headDim.

/** The places of a layer that its caller fills: where weights come from, what an adapter adds, how tokens see each other. */
export interface LayerSites {
  /** A vector of the layer by its role. */
  readonly vector: (role: string, width: number) => Value;
  /** A linear with whatever an adapter adds to it: […, in] → […, out]. */
  readonly linear: (linear: LinearName, x: Value) => Value;
  /** Rotates and attends: query […, Q], key and value […, K] → […, Q]. */
  readonly attend: (query: Value, key: Value, value: Value) => Value;
}

export interface LayerValues {
  /** […, H] */
  readonly output: Value;
  /** What the backward pass is to find rather than to compute again, by name. */
  readonly kept: Readonly<Record<string, Value>>;
}
