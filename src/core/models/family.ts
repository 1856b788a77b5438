import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import type { ModelConfig } from './config.js';
import type { GgufFields } from './ggufFields.js';
import type { HuggingFaceFields } from './huggingFaceFields.js';
import type { LinearName } from './linears.js';
import type { WeightSpec } from './weightSpec.js';

/** Everything that defines an architecture. To add one, add a file in families/ and a line in the registry. */
export interface Family {
  readonly name: string;
  /** The `model_type` in config.json, and one of its `architectures`. */
  readonly modelType: string;
  readonly architecture: string;
  /** Throws UserError('file-corrupt' | 'model-unsupported') naming the file. */
  readonly readConfig: (fields: HuggingFaceFields) => ModelConfig;
  /** `architecture` is general.architecture. Null if such files belong to another family, or do not exist. */
  readonly gguf: { readonly architecture: string; readonly readConfig: (fields: GgufFields) => ModelConfig } | null;
  readonly weights: (config: ModelConfig) => readonly WeightSpec[];
  /** A decoder layer: x […, H] → […, H]. */
  readonly layer: (b: GraphBuilder, config: ModelConfig, x: Value, sites: LayerSites) => LayerValues;
}

// Symbols in the shape comments: H hiddenSize, Q heads·headDim, K keyValueHeads·headDim.

/** The parts of a layer that its caller supplies: where weights come from, what an adapter adds, and how tokens attend. */
export interface LayerSites {
  /** A vector of the layer, by role. */
  readonly vector: (role: string, width: number) => Value;
  /** A linear plus what an adapter adds to it: […, in] → […, out]. */
  readonly linear: (linear: LinearName, x: Value) => Value;
  /** Rotation and attention: query […, Q], key and value […, K] → […, Q]. */
  readonly attend: (query: Value, key: Value, value: Value) => Value;
}

export interface LayerValues {
  /** […, H] */
  readonly output: Value;
  /** Values to keep for the backward pass, which it would otherwise compute again, by name. */
  readonly kept: Readonly<Record<string, Value>>;
}
