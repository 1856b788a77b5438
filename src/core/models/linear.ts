/** @file The frozen linear, in whichever form its weight is held. */
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import type { ModelConfig } from './config.js';
import { frozenProduct, type MatrixForm } from './frozenMatrix.js';
import { inputOf, linearNames, linearShape, smoothingName, type LinearName } from './linears.js';

/** How the weights of a layer's linears are held. */
export type LinearForms = Readonly<Record<LinearName, MatrixForm>>;

export function formsOfLinears(form: (linear: LinearName) => MatrixForm): LinearForms {
  return Object.fromEntries(linearNames.map((linear) => [linear, form(linear)])) as Record<LinearName, MatrixForm>;
}

/** x [N, in] · Wᵀ (+ bias) → [N, out]. The weight is an input named `q_proj.weight`, or several inputs with that prefix. */
export function frozenLinear(b: GraphBuilder, config: ModelConfig, linear: LinearName, x: Value, form: MatrixForm): Value {
  const shape = linearShape(config, linear);
  const product = frozenProduct(b, `${linear}.weight`, shape, x, form, smoothingName(inputOf(linear).name));
  return config.biases.includes(linear) ? b.add(product, b.input(`${linear}.bias`, [shape[0]])) : product;
}
