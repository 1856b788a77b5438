/** @file The frozen linear, in whatever form its weight is held. */
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import type { LlamaConfig } from './config.js';
import { frozenMatrix, type MatrixForm } from './frozenMatrix.js';
import { isOfMlp, linearNames, linearShape, type LinearName } from './weights.js';

/** How the weights of a layer's linears are held. */
export type LinearForms = Readonly<Record<LinearName, MatrixForm>>;

export function formsOfLinears(form: (linear: LinearName) => MatrixForm): LinearForms {
  return Object.fromEntries(linearNames.map((linear) => [linear, form(linear)])) as Record<LinearName, MatrixForm>;
}

/** x [N, in] · Wᵀ (+ bias) → [N, out]. The weight is an input named `q_proj.weight`, or several that begin so. */
export function frozenLinear(b: GraphBuilder, config: LlamaConfig, linear: LinearName, x: Value, form: MatrixForm): Value {
  const shape = linearShape(config, linear);
  const product = b.matmul(x, frozenMatrix(b, `${linear}.weight`, shape, form), { transposeB: true });
  return hasBias(config, linear) ? b.add(product, b.input(`${linear}.bias`, [shape[0]])) : product;
}

export function hasBias(config: LlamaConfig, linear: LinearName): boolean {
  return isOfMlp(linear) ? config.mlpBias : config.attentionBias;
}
