/** @file The frozen linear, in whatever form its weight is held. */
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import type { LlamaConfig } from './config.js';
import { linearShape, type LinearName } from './weights.js';

/** How base weights are held in memory. Norms, biases and embeddings stay fp32. */
export type BaseDType = 'fp32' | 'fp16';

/** x [N, in] · Wᵀ (+ bias) → [N, out]. The weight is an input named `q_proj.weight`. */
export function frozenLinear(b: GraphBuilder, config: LlamaConfig, linear: LinearName, x: Value, dtype: BaseDType): Value {
  const [outFeatures, inFeatures] = linearShape(config, linear);
  const stored = b.input(`${linear}.weight`, [outFeatures, inFeatures], dtype === 'fp16' ? 'float16' : 'float32');
  const product = b.matmul(x, b.cast(stored, 'float32'), { transposeB: true });
  return hasBias(config, linear) ? b.add(product, b.input(`${linear}.bias`, [outFeatures])) : product;
}

export function hasBias(config: LlamaConfig, linear: LinearName): boolean {
  const inMlp = linear === 'gate_proj' || linear === 'up_proj' || linear === 'down_proj';
  return inMlp ? config.mlpBias : config.attentionBias;
}
