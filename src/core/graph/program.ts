/** @file Builds, lists and rewrites programs: pieces of a graph between given values and requested ones. */
import type { GraphBuilder } from './builder.js';
import type { OpAttributes, OpName, Program, Value } from './types.js';

/**
 * The piece of the graph that computes `outputs` from its input values and from `given`: intermediate values that another program
 * has kept. What is not given is recomputed, so the choice of `given` is the choice of what to checkpoint.
 */
export function makeProgram(
  name: string,
  outputs: Readonly<Record<string, Value>>,
  given: Readonly<Record<string, Value>> = {},
): Program {
  const inputs = new Map<string, Value>();
  const givenNames = new Map(Object.entries(given).map(([inputName, value]) => [value, inputName]));
  for (const value of reachable(Object.values(outputs), new Set(givenNames.keys()))) {
    const givenName = givenNames.get(value);
    if (givenName !== undefined) inputs.set(givenName, value);
    else if (isOp(value, 'input')) inputs.set(value.attributes.name, value);
  }
  return { name, inputs, outputs: new Map(Object.entries(outputs)) };
}

export function isOp<K extends OpName>(value: Value, op: K): value is Value<K> {
  return (value.op as OpName) === op;
}

/** The values of a program, each after its operands. */
export function valuesOf(program: Program): Value[] {
  return reachable([...program.outputs.values()], new Set(program.inputs.values()));
}

/** How often each value is used, as an operand or as an output. */
export function useCounts(program: Program): ReadonlyMap<Value, number> {
  const counts = new Map<Value, number>();
  const count = (value: Value): unknown => counts.set(value, (counts.get(value) ?? 0) + 1);
  const given = new Set(program.inputs.values());
  valuesOf(program).forEach((value) => !given.has(value) && value.inputs.forEach(count));
  program.outputs.forEach(count);
  return counts;
}

/** Rebuilds a program bottom-up; `rebuild` gets each value with its operands already rebuilt. */
export function rewrite(program: Program, b: GraphBuilder, rebuild: (value: Value, inputs: readonly Value[]) => Value): Program {
  const done = new Map<Value, Value>();
  const inputs = new Map<string, Value>();
  for (const [name, value] of program.inputs) {
    const input = b.input(name, value.shape, value.dtype);
    done.set(value, input);
    inputs.set(name, input);
  }
  for (const value of valuesOf(program)) {
    if (done.has(value)) continue;
    const operands = value.inputs.map((input) => done.get(input)!);
    done.set(
      value,
      b.within(value.scope, () => rebuild(value, operands)),
    );
  }
  const outputs = new Map([...program.outputs].map(([name, value]) => [name, done.get(value)!]));
  return { name: program.name, inputs, outputs };
}

/** The same operation applied to other operands. */
export function rebuilt(b: GraphBuilder, value: Value, inputs: readonly Value[]): Value {
  if (isOp(value, 'constant')) return b.constant(value.attributes.values, value.shape, value.dtype);
  return b.apply(value.op as 'add', inputs, value.attributes as OpAttributes['add']);
}

function reachable(outputs: readonly Value[], stopAt: ReadonlySet<Value>): Value[] {
  const found = new Set<Value>();
  const visit = (value: Value): void => {
    if (found.has(value)) return;
    if (!stopAt.has(value)) value.inputs.forEach(visit);
    found.add(value);
  };
  outputs.forEach(visit);
  return [...found];
}
