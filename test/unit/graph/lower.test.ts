import { afterAll, expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { makeProgram } from '../../../src/core/graph/program.js';
import type { OpName } from '../../../src/core/graph/types.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { differentiate } from '../../support/differentiate.js';
import { evaluate } from '../../support/evaluate.js';
import { opCases } from '../../support/opCases.js';
import { runOnDevice, runWithoutFusedOperators } from '../../support/runProgram.js';
import { expectClose, tensor } from '../../support/tensors.js';

const device = new CpuDevice(1);
afterAll(() => device.dispose());

test.each(Object.keys(opCases) as OpName[])('ONNX Runtime computes %s and its derivative as they are defined', async (op) => {
  for (const each of opCases[op]) {
    const { program, values } = differentiate(each);
    const results = {
      fused: await runOnDevice(device, program, values),
      unfused: await runWithoutFusedOperators(program, values),
    };
    for (const [name, expected] of evaluate(program, values)) {
      for (const [how, outputs] of Object.entries(results)) {
        const result = outputs.get(name)!;
        expect(result.shape, `${each.name}, ${how}: shape of ${name}`).toEqual(expected.shape);
        expectClose(result.data, expected.data, each.tolerance ?? 2e-6, `${each.name}, ${how}: ${name}`);
      }
    }
  }
});

test('a value may be several outputs; an input or a constant may be one', async () => {
  const b = new GraphBuilder();
  const input = b.input('x', [2]);
  const double = b.add(input, input);
  const program = makeProgram('names', { first: double, second: double, same: input, fixed: b.constant([7, 8], [2]) });
  const results = await runOnDevice(device, program, new Map([['x', tensor([2], [1, 2])]]));
  const numbers = Object.fromEntries([...results].map(([name, { data }]) => [name, [...data]]));
  expect(numbers).toEqual({ first: [2, 4], second: [2, 4], same: [1, 2], fixed: [7, 8] });
});

test('attention and the caches after it may be outputs of one program', async () => {
  const { inputs } = opCases.cachedAttention[1]!; // 2 + 1 tokens
  const b = new GraphBuilder();
  const operands = Object.entries(inputs).map(([name, { dtype, value }]) => b.input(name, value.shape, dtype));
  const { output, key, value } = b.cachedAttention(operands, {
    heads: 4,
    keyValueHeads: 2,
    headDim: 8,
    scale: 1 / Math.sqrt(8),
    window: null,
  });
  const program = makeProgram('attention', { output, key, lastValue: b.slice(value, 2, 2, 3) });
  const values = new Map(Object.entries(inputs).map(([name, input]) => [name, input.value]));
  const [results, expected] = [await runOnDevice(device, program, values), evaluate(program, values)];
  for (const name of ['output', 'lastValue']) expectClose(results.get(name)!.data, expected.get(name)!.data, 2e-6, name);
});
