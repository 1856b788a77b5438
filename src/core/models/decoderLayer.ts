/**
 * @file LLaMA's pre-norm decoder layer (https://arxiv.org/abs/2302.13971; layout of transformers' modeling_llama) and its parts.
 */
import type { GraphBuilder } from '../graph/builder.js';
import type { AttentionAttributes, Value } from '../graph/types.js';
import type { ModelConfig } from './config.js';
import type { LayerSites, LayerValues } from './family.js';
import type { LayerVector } from './weightSpec.js';

// Symbols in the shape comments: H hiddenSize, Q heads·headDim, K keyValueHeads·headDim, F intermediateSize.

/** The two norms of a pre-norm layer. */
export function layerNorms({ hiddenSize }: ModelConfig): LayerVector[] {
  return [
    { role: 'input_layernorm.weight', path: 'input_layernorm.weight', ggufPath: 'attn_norm.weight', width: hiddenSize },
    {
      role: 'post_attention_layernorm.weight',
      path: 'post_attention_layernorm.weight',
      ggufPath: 'ffn_norm.weight',
      width: hiddenSize,
    },
  ];
}

/** The norms of query and key heads. */
export function headNorms({ headDim }: ModelConfig): LayerVector[] {
  return ['q_norm', 'k_norm'].map((name) => ({
    role: `${name}.weight`,
    path: `self_attn.${name}.weight`,
    ggufPath: `attn_${name}.weight`,
    width: headDim,
  }));
}

/** Transforms query or key between its linear and the rotation. */
type PrepareHeads = (heads: Value, name: 'q_norm' | 'k_norm') => Value;

/** x […, H] → […, H]. */
export function decoderLayer(
  b: GraphBuilder,
  config: ModelConfig,
  x: Value,
  sites: LayerSites,
  prepare: PrepareHeads = (heads) => heads,
): LayerValues {
  const { vector, linear } = sites;
  const norm = (y: Value, role: string): Value => b.rmsNorm(y, vector(role, config.hiddenSize), config.rmsNormEpsilon);
  const residual = b.within('attention', () => {
    const normed = norm(x, 'input_layernorm.weight'); // […, H]
    const attention = attentionOf(normed, sites, prepare); // […, Q]
    return b.add(x, linear('o_proj', attention)); // […, H]
  });
  return b.within('mlp', () => {
    const normed = norm(residual, 'post_attention_layernorm.weight'); // […, H]
    const gate = linear('gate_proj', normed); // […, F]
    const up = linear('up_proj', normed); // […, F]
    const output = b.add(residual, linear('down_proj', b.swiglu(gate, up))); // […, H]
    return { output, kept: { residual, gate, up } };
  });
}

/** normed […, H] → […, Q]. */
export function attentionOf(normed: Value, { linear, attend }: LayerSites, prepare: PrepareHeads): Value {
  const query = prepare(linear('q_proj', normed), 'q_norm');
  const key = prepare(linear('k_proj', normed), 'k_norm');
  return attend(query, key, linear('v_proj', normed));
}

/** Norms each head of x […, heads · headDim] separately (https://arxiv.org/abs/2302.05442). */
export function normHeads(b: GraphBuilder, { headDim, rmsNormEpsilon }: ModelConfig, { vector }: LayerSites): PrepareHeads {
  return (x, name) => {
    const leading = x.shape.slice(0, -1);
    const heads = b.reshape(x, [...leading, x.shape.at(-1)! / headDim, headDim]);
    return b.reshape(b.rmsNorm(heads, vector(`${name}.weight`, headDim), rmsNormEpsilon), x.shape);
  };
}

export function attentionAttributes({ headCount, keyValueHeadCount, headDim, attentionScale }: ModelConfig): AttentionAttributes {
  return { heads: headCount, keyValueHeads: keyValueHeadCount, headDim, scale: attentionScale ?? 1 / Math.sqrt(headDim) };
}
