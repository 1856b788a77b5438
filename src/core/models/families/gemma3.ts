/** @file The text model of Gemma 3 (https://arxiv.org/abs/2503.19786). */
import type { GraphBuilder } from '../../graph/builder.js';
import type { Value } from '../../graph/types.js';
import { attentionKindOf, type AttentionKind, type ModelConfig, type ModelSizes, type RopeSettings } from '../config.js';
import { attentionOf, headNorms, normHeads } from '../decoderLayer.js';
import type { Family, LayerSites, LayerValues } from '../family.js';
import { t } from '../../../l10n/text.js';
import { ggufValue, type GgufMetadata } from '../../formats/ggufHeader.js';
import { ggufRope, ggufSizes, notInGguf } from '../ggufConfig.js';
import { huggingFaceBiases, huggingFaceRope, huggingFaceSizes } from '../huggingFaceConfig.js';
import type { HuggingFaceFields } from '../huggingFaceFields.js';
import { isLayerType, type LayerType } from '../slidingLayers.js';
import { decoderWeights, type LayerVector } from '../weightSpec.js';

// Symbols in the shape comments: H hiddenSize, F intermediateSize.

/** Norms compute x · (1 + w) and also follow attention and feed-forward; GeGLU; scaled embeddings; local and global layers. */
export const gemma3: Family = {
  name: 'gemma3',
  modelType: 'gemma3_text',
  architecture: 'Gemma3ForCausalLM',
  readConfig(fields) {
    fields.requireActivation('hidden_activation', 'gelu_pytorch_tanh');
    ['final_logit_softcapping', 'attn_logit_softcapping', 'use_bidirectional_attention'].forEach((name) =>
      fields.requireUnset(name),
    );
    const sizes = fields.sizes({ contextLength: 131072, keyValueHeadCount: 4, headDim: 256, tiedEmbeddings: true });
    const window = fields.optionalInteger('sliding_window', 4096);
    return {
      ...gemma3Config(sizes, layerTypes(fields, sizes.layerCount), { ...ropes(fields), window }),
      biases: fields.biases(),
      attentionScale: fields.number('query_pre_attn_scalar', 256) ** -0.5,
    };
  },
  writeConfig: gemma3Json,
  gguf: {
    architecture: 'gemma3',
    readConfig(fields) {
      const sizes = fields.sizes();
      const local: RopeSettings = { theta: fields.number('rope.freq_base_swa', 10000), scaling: { type: 'none' } };
      const window = fields.number('attention.sliding_window');
      const config = gemma3Config(sizes, patternedLayerTypes(sizes.layerCount), {
        global: fields.rope(1e6, sizes.headDim),
        local,
        window,
      });
      return { ...config, attentionScale: ggufAttentionScale(sizes) };
    },
    writeConfig: gemma3Gguf,
  },
  weights: (config) => decoderWeights(config, { vectors: [...norms(config), ...headNorms(config)], lessOne: true }),
  layer: gemma3Layer,
};

interface Attentions {
  readonly global: RopeSettings;
  readonly local: RopeSettings;
  /** Window of the local layers. */
  readonly window: number | null;
}

function gemma3Config(sizes: ModelSizes, types: readonly LayerType[], { global, local, window }: Attentions): ModelConfig {
  return {
    family: 'gemma3',
    ...sizes,
    biases: [],
    attentionKinds: [
      { rope: global, window: null },
      { rope: local, window },
    ],
    layerPattern: types.map((type) => Number(type === 'sliding_attention')),
    embeddingScale: Math.sqrt(sizes.hiddenSize),
  };
}

/** Like llama.cpp, recognizes the 27B model by its layer count: its query_pre_attn_scalar is not the head size. */
function ggufAttentionScale({ layerCount, hiddenSize, headCount, headDim }: ModelSizes): number {
  return (layerCount === 62 ? hiddenSize / headCount : headDim) ** -0.5;
}

function gemma3Json(config: ModelConfig): Readonly<Record<string, unknown>> {
  const [global, local] = config.attentionKinds as [AttentionKind, AttentionKind];
  const types = Array.from({ length: config.layerCount }, (_, layer): LayerType =>
    attentionKindOf(config, layer) === 0 ? 'full_attention' : 'sliding_attention',
  );
  return {
    hidden_activation: 'gelu_pytorch_tanh',
    ...huggingFaceSizes(config),
    ...huggingFaceBiases(config),
    ...huggingFaceRope(global.rope!, config.headDim),
    rope_local_base_freq: local.rope!.theta,
    sliding_window: local.window,
    layer_types: types,
    query_pre_attn_scalar: Math.round(config.attentionScale! ** -2),
  };
}

function gemma3Gguf(config: ModelConfig): GgufMetadata {
  const [global, local] = config.attentionKinds as [AttentionKind, AttentionKind];
  const usual = patternedLayerTypes(config.layerCount).map((type) => Number(type === 'sliding_attention'));
  if (usual.some((kind, layer) => kind !== attentionKindOf(config, layer))) {
    notInGguf(t`llama.cpp lets every sixth layer of a Gemma 3 see everything`);
  }
  if (config.biases.length > 0) notInGguf(t`llama.cpp's Gemma 3 has no biases`);
  if (Math.abs(config.attentionScale! / ggufAttentionScale(config) - 1) > 1e-6) {
    notInGguf(t`llama.cpp scales the attention of a Gemma 3 by its head size`);
  }
  if (local.window === null || local.rope!.scaling.type !== 'none') notInGguf(t`its local layers have no window`);
  return new Map([
    ...ggufSizes('gemma3', config),
    ...ggufRope('gemma3', global.rope!),
    ['gemma3.rope.freq_base_swa', ggufValue.float32(local.rope!.theta)],
    ['gemma3.attention.sliding_window', ggufValue.uint32(local.window!)],
  ]);
}

/** transformers 5 groups the rotary settings by layer type; earlier versions had three separate entries. */
function ropes(fields: HuggingFaceFields): Pick<Attentions, 'global' | 'local'> {
  const byType = fields.object('rope_parameters');
  const global = byType?.object('full_attention')?.ropeSettings(1e6);
  const local = byType?.object('sliding_attention')?.ropeSettings(10000);
  return {
    global: global ?? fields.rope(1e6),
    local: local ?? { theta: fields.number('rope_local_base_freq', 10000), scaling: { type: 'none' } },
  };
}

function layerTypes(fields: HuggingFaceFields, layerCount: number): readonly LayerType[] {
  return (
    fields.perLayer('layer_types', layerCount, isLayerType) ??
    patternedLayerTypes(layerCount, fields.integer('sliding_window_pattern', 6))
  );
}

/** By default, every sixth layer is global. */
function patternedLayerTypes(layerCount: number, pattern = 6): LayerType[] {
  return Array.from({ length: layerCount }, (_, layer) => ((layer + 1) % pattern === 0 ? 'full_attention' : 'sliding_attention'));
}

function norms({ hiddenSize: width }: ModelConfig): LayerVector[] {
  const inGguf = {
    input_layernorm: 'attn_norm',
    post_attention_layernorm: 'post_attention_norm',
    pre_feedforward_layernorm: 'ffn_norm',
    post_feedforward_layernorm: 'post_ffw_norm',
  };
  return Object.entries(inGguf).map(([name, ggufName]) => {
    return { role: `${name}.weight`, path: `${name}.weight`, ggufPath: `${ggufName}.weight`, width };
  });
}

/** x […, H] → […, H]. */
function gemma3Layer(b: GraphBuilder, config: ModelConfig, x: Value, sites: LayerSites): LayerValues {
  const { vector, linear } = sites;
  const norm = (y: Value, name: string): Value =>
    b.rmsNorm(y, vector(`${name}.weight`, config.hiddenSize), config.rmsNormEpsilon);
  const { projected, residual } = b.within('attention', () => {
    const attention = attentionOf(norm(x, 'input_layernorm'), sites, normHeads(b, config, sites));
    const projected = linear('o_proj', attention); // […, H]
    return { projected, residual: b.add(x, norm(projected, 'post_attention_layernorm')) };
  });
  return b.within('mlp', () => {
    const normed = norm(residual, 'pre_feedforward_layernorm'); // […, H]
    const gate = linear('gate_proj', normed); // […, F]
    const up = linear('up_proj', normed); // […, F]
    const down = linear('down_proj', b.multiply(geluTanh(b, gate), up)); // […, H]
    const output = b.add(residual, norm(down, 'post_feedforward_layernorm'));
    return { output, kept: { projected, residual, gate, up, down } };
  });
}

/** x · Φ(x) with Φ ≈ ½(1 + tanh(z)) = σ(2z), z = √(2/π)·(x + 0.044715·x³) (https://arxiv.org/abs/1606.08415). */
function geluTanh(b: GraphBuilder, x: Value): Value {
  const cubed = b.scale(b.multiply(b.multiply(x, x), x), 0.044715);
  return b.multiply(x, b.sigmoid(b.scale(b.add(x, cubed), 2 * Math.sqrt(2 / Math.PI))));
}
