/** @file Which weights a model has: their names in programs and in files, and how they are stored. */
import type { ModelConfig } from './config.js';
import { isOfMlp, linearNames, linearShape, type LinearName } from './linears.js';

export interface WeightSpec {
  /** Name used by programs, the same in every layer: `q_proj.weight`, `input_layernorm.weight`, `embed_tokens.weight`. */
  readonly role: string;
  /** Null for weights outside the layers. */
  readonly layer: number | null;
  /** A linear's matrix, a table with one row per token, or a vector. */
  readonly kind: 'linear' | 'table' | 'vector';
  readonly shape: readonly number[];
  /** Name in Hugging Face's files, and in ours. */
  readonly name: string;
  readonly ggufName: string;
  /** For some architectures, llama.cpp interleaves the rows of q and k within each head to suit its own rotary layout. */
  readonly permutedInGguf: boolean;
  /** Hugging Face's files hold the values minus one, because the model computes x · (1 + w). GGUF files hold the sum. */
  readonly lessOne: boolean;
}

/** A layer's norm, or another vector that is not a bias, and its place in both kinds of files. */
export interface LayerVector {
  readonly role: string;
  /** Follows `model.layers.N.` */
  readonly path: string;
  /** Follows `blk.N.` */
  readonly ggufPath: string;
  readonly width: number;
}

interface DecoderWeights {
  readonly vectors: readonly LayerVector[];
  readonly permutedInGguf?: boolean;
  readonly lessOne?: boolean;
}

export const embeddingRole = 'embed_tokens.weight';
export const normRole = 'norm.weight';
export const headRole = 'lm_head.weight';

/** A decoder's weights in the layout that all families share: embedding, layers, norm, and a head unless it is tied. */
export function decoderWeights(
  config: ModelConfig,
  { vectors, permutedInGguf = false, lessOne = false }: DecoderWeights,
): WeightSpec[] {
  const { vocabSize, hiddenSize, layerCount, tiedEmbeddings } = config;
  const beside = { layer: null, permutedInGguf: false, lessOne: false };
  const table = { ...beside, kind: 'table', shape: [vocabSize, hiddenSize] } as const;
  const layers = Array.from({ length: layerCount }, (_, layer) => [
    ...vectors.map((vector) => vectorSpec(layer, vector, lessOne)),
    ...linearNames.flatMap((linear) => linearSpecs(config, layer, linear, permutedInGguf)),
  ]);
  return [
    { ...table, role: embeddingRole, name: 'model.embed_tokens.weight', ggufName: 'token_embd.weight' },
    ...layers.flat(),
    {
      ...beside,
      role: normRole,
      kind: 'vector',
      shape: [hiddenSize],
      name: 'model.norm.weight',
      ggufName: 'output_norm.weight',
      lessOne,
    },
    ...(tiedEmbeddings ? [] : [{ ...table, role: headRole, name: 'lm_head.weight', ggufName: 'output.weight' }]),
  ];
}

function vectorSpec(layer: number, { role, path, ggufPath, width }: LayerVector, lessOne: boolean): WeightSpec {
  const names = { name: `model.layers.${layer}.${path}`, ggufName: `blk.${layer}.${ggufPath}` };
  return { role, layer, kind: 'vector', shape: [width], ...names, permutedInGguf: false, lessOne };
}

/** Follows `blk.N.` */
export const ggufLinears: Readonly<Record<LinearName, string>> = {
  q_proj: 'attn_q',
  k_proj: 'attn_k',
  v_proj: 'attn_v',
  o_proj: 'attn_output',
  gate_proj: 'ffn_gate',
  up_proj: 'ffn_up',
  down_proj: 'ffn_down',
};

function linearSpecs(config: ModelConfig, layer: number, linear: LinearName, permuted: boolean): WeightSpec[] {
  const shape = linearShape(config, linear);
  const spec = (part: 'weight' | 'bias', kind: WeightSpec['kind'], ofPart: readonly number[]): WeightSpec => ({
    role: `${linear}.${part}`,
    layer,
    kind,
    shape: ofPart,
    name: `${linearPath(layer, linear)}.${part}`,
    ggufName: `blk.${layer}.${ggufLinears[linear]}.${part}`,
    permutedInGguf: permuted && (linear === 'q_proj' || linear === 'k_proj'),
    lessOne: false,
  });
  return [spec('weight', 'linear', shape), ...(config.biases.includes(linear) ? [spec('bias', 'vector', [shape[0]])] : [])];
}

/** A path such as `model.layers.3.self_attn.q_proj`, without `.weight`; PEFT's names are built from it. */
export function linearPath(layer: number, linear: LinearName): string {
  return `model.layers.${layer}.${isOfMlp(linear) ? 'mlp' : 'self_attn'}.${linear}`;
}
