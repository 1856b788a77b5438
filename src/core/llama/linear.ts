/** @file The frozen linear, in whatever form its weight is held. */
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import type { LlamaConfig } from './config.js';
import { linearShape, type LinearName } from './weights.js';

/** As what the programs of training take the linears' weights; fp16 ones are cast where they are used. */
export type WeightInput = 'float32' | 'float16';

/** x [N, in] · Wᵀ (+ bias) → [N, out]. The weight is an input named `q_proj.weight`. */
export function frozenLinear(b: GraphBuilder, config: LlamaConfig, linear: LinearName, x: Value, weightInput: WeightInput): Value {
  const [outFeatures, inFeatures] = linearShape(config, linear);
  const stored = b.input(`${linear}.weight`, [outFeatures, inFeatures], weightInput);
  const product = b.matmul(x, b.cast(stored, 'float32'), { transposeB: true });
  return hasBias(config, linear) ? b.add(product, b.input(`${linear}.bias`, [outFeatures])) : product;
}

export function hasBias(config: LlamaConfig, linear: LinearName): boolean {
  const inMlp = linear === 'gate_proj' || linear === 'up_proj' || linear === 'down_proj';
  return inMlp ? config.mlpBias : config.attentionBias;
}
