/** @file A program as text, one value per line, for golden tests and failure messages. */
import { isOp, valuesOf } from '../../src/core/graph/program.js';
import type { Program, Value } from '../../src/core/graph/types.js';

export function printProgram(program: Program): string {
  const inputNames = new Map([...program.inputs].map(([name, value]) => [value, name]));
  const names = new Map<Value, string>();
  const values = valuesOf(program);
  let counter = 0;
  for (const value of values) {
    names.set(value, inputNames.get(value) ?? (isOp(value, 'constant') ? printConstant(value) : `%${counter++}`));
  }
  const lines = values
    .filter((value) => !inputNames.has(value) && !isOp(value, 'constant'))
    .map(
      (value) =>
        `  ${names.get(value)}: ${type(value)} = ${value.op}(${value.inputs.map((x) => names.get(x)).join(', ')})${printAttributes(value)}${value.scope ? `  # ${value.scope}` : ''}`,
    );
  const inputs = [...program.inputs].map(([name, value]) => `${name}: ${type(value)}`);
  const outputs = [...program.outputs].map(([name, value]) => `${name} = ${names.get(value)}`);
  return `${program.name}(\n  ${inputs.join(',\n  ')}\n) {\n${lines.join('\n')}\n  return ${outputs.join(', ')}\n}\n`;
}

function type(value: Value): string {
  return `${value.dtype}[${value.shape.join(' ')}]`;
}

function printConstant(value: Value<'constant'>): string {
  const { values } = value.attributes;
  return values.length <= 4
    ? value.shape.length === 0
      ? `${values[0]}`
      : `[${values.join(' ')}]`
    : `[${values.slice(0, 3).join(' ')} … ${values.length}]`;
}

function printAttributes(value: Value): string {
  const entries = Object.entries(value.attributes).filter(([, attribute]) => attribute !== false && attribute !== undefined);
  return entries.length === 0
    ? ''
    : ` {${entries.map(([key, attribute]) => `${key}: ${Array.isArray(attribute) ? `[${attribute.join(' ')}]` : String(attribute)}`).join(', ')}}`;
}
