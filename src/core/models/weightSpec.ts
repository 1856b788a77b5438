/** @file Which weights a model has: what programs call them, what files call them, and how they lie there. */
import type { ModelConfig } from './config.js';
import { isOfMlp, linearNames, linearShape, type LinearName } from './linears.js';

export interface WeightSpec {
  /** What programs call it, the same in every layer: `q_proj.weight`, `input_layernorm.weight`, `embed_tokens.weight`. */
  readonly role: string;
  /** Null for what lies beside the layers. */
  readonly layer: number | null;
  /** A linear's matrix, a table with a row for each token, or a vector. */
  readonly kind: 'linear' | 'table' | 'vector';
  readonly shape: readonly number[];
  /** In Hugging Face's files, and in ours. */
  readonly name: string;
  readonly ggufName: string;
  /** llama.cpp stores the rows of q and k interleaved within each head, for its own rotary layout, in some architectures. */
  readonly permutedInGguf: boolean;
  /** Hugging Face's files hold the values less one: the model computes x · (1 + w). GGUF files hold the sum. */
  readonly lessOne: boolean;
}

/** A norm of a layer, or another vector that is no bias: where it lies in either kind of file. */
export interface LayerVector {
  readonly role: string;
  /** Behind `model.layers.N.` */
  readonly path: string;
  /** Behind `blk.N.` */
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

/** The weights of a decoder in the layout that all families share: embedding, layers, norm, and a head unless it is tied. */
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

/** Behind `blk.N.` */
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

/** `model.layers.3.self_attn.q_proj` and the like, without `.weight`: what PEFT's names are made of. */
export function linearPath(layer: number, linear: LinearName): string {
  return `model.layers.${layer}.${isOfMlp(linear) ? 'mlp' : 'self_attn'}.${linear}`;
}
