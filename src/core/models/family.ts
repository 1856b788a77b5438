import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import type { GgufMetadata } from '../formats/ggufHeader.js';
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
  /** What config.json says of the model besides its type and architecture: what readConfig reads. */
  readonly writeConfig: (config: ModelConfig) => Readonly<Record<string, unknown>>;
  readonly gguf: FamilyInGguf;
  readonly weights: (config: ModelConfig) => readonly WeightSpec[];
  /** A decoder layer: x […, H] → […, H]. */
  readonly layer: (b: GraphBuilder, config: ModelConfig, x: Value, sites: LayerSites) => LayerValues;
}

export interface FamilyInGguf {
  /** general.architecture */
  readonly architecture: string;
  /** Null if files of this architecture belong to another family. */
  readonly readConfig: ((fields: GgufFields) => ModelConfig) | null;
  /** Throws UserError('file-unsupported') if llama.cpp would compute something else. */
  readonly writeConfig: (config: ModelConfig) => GgufMetadata;
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
