import { backward } from '../../src/core/graph/autodiff.js';
import { GraphBuilder } from '../../src/core/graph/builder.js';
import { gradients, type Gradient } from '../../src/core/graph/gradients.js';
import { makeProgram, valuesOf } from '../../src/core/graph/program.js';
import type { OpName, Program, Value } from '../../src/core/graph/types.js';
import { Random } from '../../src/core/random.js';
import type { OpCase } from './opCases.js';
import { randomTensor, type Tensor } from './tensors.js';

export interface Differentiated {
  /** Outputs y and, for each name in `wrt`, `d NAME`: the derivative of Σ y ⊙ upstream. */
  readonly program: Program;
  readonly wrt: readonly string[];
  readonly values: Map<string, Tensor>;
}

/** A case as a program, with the derivatives with respect to all inputs that have one. */
export function differentiate({ inputs, build }: OpCase): Differentiated {
  const b = new GraphBuilder();
  const operands = Object.entries(inputs).map(([name, { dtype, value }]) => b.input(name, value.shape, dtype));
  const y = build(b, operands);
  const upstream = b.input('upstream', y.shape);
  const values = new Map(Object.entries(inputs).map(([name, { value }]) => [name, value]));
  values.set('upstream', randomTensor(y.shape, new Random(7)));

  const wrt = differentiable(b, y, upstream, operands);
  const derivatives = wrt.length > 0 ? backward(b, new Map([[y, upstream]]), wrt) : [];
  const names = wrt.map((operand) => (operand as Value<'input'>).attributes.name);
  const outputs = Object.fromEntries(names.map((name, i) => [`d ${name}`, derivatives[i]!]));
  return { program: makeProgram('differentiated', { y, ...outputs }), wrt: names, values };
}

/**
 * The real operands that y's rule gives a derivative for; operands that reach y through other operations get theirs from those.
 */
function differentiable(b: GraphBuilder, y: Value, upstream: Value, operands: readonly Value[]): Value[] {
  const gradient = gradients[y.op] as Gradient<OpName>;
  const forbidden = valuesOf(makeProgram('y', { y })).some(({ op }) => gradients[op].kind === 'forbidden');
  if (gradient.kind !== 'rule' || forbidden) return [];
  const ofInputs = gradient.rule(b, y, upstream, ...y.inputs);
  if (ofInputs.length !== y.inputs.length)
    throw new Error(`${y.op} has ${y.inputs.length} inputs, its rule gives ${ofInputs.length}`);
  const without = new Set(y.inputs.filter((_, i) => ofInputs[i] === undefined));
  return operands.filter((operand) => operand.dtype === 'float32' && !without.has(operand));
}
