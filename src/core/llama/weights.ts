import type { StoredType } from '../formats/storedType.js';
import { elementCount } from '../shape.js';
import type { LlamaConfig } from './config.js';

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
   * True where llama.cpp stored q/k rows interleaved for its rotary embedding (GGUF of LLaMA models): readFloat32 undoes it,
   * the stored bytes still have it.
   */
  readonly permutedRows: boolean;
}

/**
 * The frozen weights of a model under their Hugging Face names, whatever file they lie in. Nothing is read until asked for,
 * and nothing read is kept, so a model never exists twice in memory.
 */
export interface WeightStore {
  readonly config: LlamaConfig;
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

/** The seven linears of a LLaMA block, in the order of the forward pass, under their PEFT target names. */
export const linearNames = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
export type LinearName = (typeof linearNames)[number];

/** An activation that linears of a block read, and which do. */
interface LinearInput {
  readonly name: string;
  readonly readers: readonly LinearName[];
}

export const linearInputs: readonly LinearInput[] = [
  { name: 'attention_input', readers: ['q_proj', 'k_proj', 'v_proj'] },
  { name: 'attention_output', readers: ['o_proj'] },
  { name: 'mlp_input', readers: ['gate_proj', 'up_proj'] },
  { name: 'mlp_hidden', readers: ['down_proj'] },
];

export function inputOf(linear: LinearName): LinearInput {
  return linearInputs.find(({ readers }) => readers.includes(linear))!;
}

export function isOfMlp(linear: LinearName): boolean {
  return linear === 'gate_proj' || linear === 'up_proj' || linear === 'down_proj';
}

/** The table that turns hidden states into logits. */
export function headName({ tiedEmbeddings }: Pick<LlamaConfig, 'tiedEmbeddings'>): string {
  return tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
}

/** `model.layers.3.self_attn.q_proj` and the like, without `.weight`. */
export function linearPath(layer: number, linear: LinearName): string {
  return `model.layers.${layer}.${isOfMlp(linear) ? 'mlp' : 'self_attn'}.${linear}`;
}

/** [outFeatures, inFeatures] of a linear. */
export function linearShape(config: LlamaConfig, linear: LinearName): [number, number] {
  const queryWidth = config.headCount * config.headDim;
  const keyValueWidth = config.keyValueHeadCount * config.headDim;
  switch (linear) {
    case 'q_proj':
      return [queryWidth, config.hiddenSize];
    case 'k_proj':
    case 'v_proj':
      return [keyValueWidth, config.hiddenSize];
    case 'o_proj':
      return [config.hiddenSize, queryWidth];
    case 'gate_proj':
    case 'up_proj':
      return [config.intermediateSize, config.hiddenSize];
    case 'down_proj':
      return [config.hiddenSize, config.intermediateSize];
  }
}
