/** @file Reverse-mode differentiation: applies the gradient rules from a result back to the requested values. */
import { sameShape, type Shape } from '../shape.js';
import type { GraphBuilder } from './builder.js';
import { gradients } from './gradients.js';
import type { OpName, Value } from './types.js';

/**
 * Given dL/d(result) for one or several results, builds dL/dv for each v of `wrt` into the same graph and returns them in the
 * same order. Only values on a path from `wrt` to a result are differentiated, so nothing frozen ever gets a gradient.
 * Throws `internal:` when a v does not influence any result.
 */
export function backward(b: GraphBuilder, results: ReadonlyMap<Value, Value>, wrt: readonly Value[]): Value[] {
  const onPath = valuesThatDependOn(wrt, [...results.keys()]);
  const cotangents = new Map<Value, Value>();
  for (const [result, dResult] of results) accumulate(b, cotangents, result, dResult);

  // Ids grow along the data flow, so descending ids visit every use of a value before the value itself.
  for (const value of [...onPath].sort((p, q) => q.id - p.id)) {
    const dy = cotangents.get(value);
    if (!dy || wrt.includes(value)) continue;
    b.withinScopeOf(value, () => {
      const inputGradients = applyRule(b, value, dy);
      value.inputs.forEach((input, i) => {
        const gradient = inputGradients[i];
        if (gradient && onPath.has(input)) accumulate(b, cotangents, input, unbroadcast(b, gradient, input.shape));
      });
    });
  }
  return wrt.map((value) => {
    const gradient = cotangents.get(value);
    if (!gradient) throw new Error(`internal: the result does not depend on ${describe(value)}`);
    return gradient;
  });
}

function applyRule<K extends OpName>(b: GraphBuilder, y: Value<K>, dy: Value): readonly (Value | undefined)[] {
  const gradient = gradients[y.op];
  switch (gradient.kind) {
    case 'rule':
      return gradient.rule(b, y as never, dy, ...y.inputs);
    case 'none':
      return [];
    case 'forbidden':
      throw new Error(`internal: ${describe(y)} cannot be differentiated: ${gradient.reason}`);
  }
}

function accumulate(b: GraphBuilder, cotangents: Map<Value, Value>, value: Value, gradient: Value): void {
  const sofar = cotangents.get(value);
  cotangents.set(value, sofar ? b.add(sofar, gradient) : gradient);
}

/** The transpose of broadcasting is summation. */
function unbroadcast(b: GraphBuilder, gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const added = gradient.shape.length - shape.length;
  const axes = gradient.shape.map((_, axis) => axis).filter((axis) => axis < added || shape[axis - added] === 1);
  return b.reshape(b.reduceSum(gradient, axes), shape);
}

function valuesThatDependOn(sources: readonly Value[], results: readonly Value[]): ReadonlySet<Value> {
  const depends = new Map<Value, boolean>(sources.map((source) => [source, true]));
  const visit = (value: Value): boolean => {
    const known = depends.get(value);
    if (known !== undefined) return known;
    const result = value.inputs.map(visit).some(Boolean);
    depends.set(value, result);
    return result;
  };
  results.forEach(visit);
  return new Set([...depends].filter(([, yes]) => yes).map(([value]) => value));
}

function describe(value: Value): string {
  return `${value.op} %${value.id} [${value.shape}]${value.scope ? ` in ${value.scope}` : ''}`;
}
