import type { StoredType } from '../formats/storedType.js';
import { elementCount } from '../shape.js';
import type { ModelConfig } from './config.js';

export interface WeightInfo {
  /** Hugging Face name: `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string;
  readonly storedType: StoredType;
  /** Row-major; linears are [out, in]. */
  readonly shape: readonly number[];
  readonly file: string;
  /** Byte offset in the file and length of the stored form. */
  readonly offset: number;
  readonly byteLength: number;
  /**
   * True where llama.cpp stored q/k rows interleaved for its rotary embedding (WeightSpec): readFloat32 undoes it, the stored bytes
   * still have it.
   */
  readonly permutedRows: boolean;
  /** True where the file holds the values less one (WeightSpec): readFloat32 undoes it. */
  readonly lessOne: boolean;
}

/**
 * The frozen weights of a model under their Hugging Face names, whatever file they lie in. Nothing is read until asked for,
 * and nothing read is kept, so a model never exists twice in memory.
 */
export interface WeightStore {
  readonly config: ModelConfig;
  info(name: string): WeightInfo | undefined;
  names(): readonly string[];
  /** Decodes a tensor to fp32 (BF16 and F16 exactly, Q* as llama.cpp does). Allocates unless `into` is given. */
  readFloat32(name: string, into?: Float32Array): Float32Array;
  /** Some rows of a matrix, as many as `into` holds; of one whose rows are permuted, whole heads. */
  readRows(name: string, firstRow: number, into: Float32Array): void;
  /** Bytes as they lie in the file, from `offset` within the tensor on. */
  readStored(name: string, offset: number, into: Uint8Array): void;
  close(): void;
}

export function parameterCount(weights: Pick<WeightStore, 'names' | 'info'>): number {
  return weights.names().reduce((sum, name) => sum + elementCount(weights.info(name)!.shape), 0);
}
