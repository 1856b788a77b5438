import type { StoredType } from '../formats/storedType.js';
import { elementCount } from '../shape.js';
import type { ModelConfig } from './config.js';

export interface WeightInfo {
  /** Hugging Face name: `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string;
  readonly storedType: StoredType;
  /** Row-major; linears are [out, in]. */
  readonly shape: readonly number[];
  /** The file to name in messages: the first of those that hold parts of it. */
  readonly file: string;
  /** Length of the stored form. */
  readonly byteLength: number;
  /**
   * True if the rows of q and k are stored interleaved for another layout of the rotary embedding (rowOrder.ts): readFloat32
   * undoes this, the stored bytes do not.
   */
  readonly permutedRows: boolean;
  /** True if the file holds the values minus one (WeightSpec): readFloat32 undoes this. */
  readonly lessOne: boolean;
}

/**
 * The frozen weights of a model under their Hugging Face names, whichever file they are in. Nothing is read until requested, and
 * nothing read is kept, so a model never exists twice in memory.
 */
export interface WeightStore {
  readonly config: ModelConfig;
  info(name: string): WeightInfo | undefined;
  names(): readonly string[];
  /** Decodes a tensor to fp32 (BF16 and F16 exactly, Q* as llama.cpp does). Allocates unless `into` is given. */
  readFloat32(name: string, into?: Float32Array): Float32Array;
  /** Reads as many rows of a matrix as `into` holds; only whole heads if the rows are permuted. */
  readRows(name: string, firstRow: number, into: Float32Array): void;
  /** Reads as many rows of a matrix as `into` holds, as they are stored. */
  readStoredRows(name: string, firstRow: number, into: Uint8Array): void;
  close(): void;
}

export function parameterCount(weights: Pick<WeightStore, 'names' | 'info'>): number {
  return weights.names().reduce((sum, name) => sum + elementCount(weights.info(name)!.shape), 0);
}
