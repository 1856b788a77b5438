import { afterAll, expect, test } from 'vitest';
import { formsOfLinears } from '../../../src/core/models/linear.js';
import { linearNames } from '../../../src/core/models/linears.js';
import type { Program } from '../../../src/core/graph/types.js';
import { Random } from '../../../src/core/random.js';
import { elementCount } from '../../../src/core/shape.js';
import { BlockGraph } from '../../../src/core/train/programs.js';
import { openModel } from '../../../src/files/openModel.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { integerLimit } from '../../../src/runtime/integerMatrix.js';
import { readMatrix, readRounded } from '../../../src/runtime/readMatrix.js';
import { saturates } from '../../../src/runtime/saturates.js';
import { evaluate } from '../../support/evaluate.js';
import { llamaConfig } from '../../support/modelConfig.js';
import { runOnDevice } from '../../support/runProgram.js';
import { expectClose, randomTensor, tensor, type Tensor } from '../../support/tensors.js';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { makeProgram } from '../../../src/core/graph/program.js';

const device = new CpuDevice(1);
afterAll(() => device.dispose());

test('the largest codes of the chosen form are multiplied exactly on this processor', async () => {
  const limit = integerLimit[(await saturates(device)) ? 'I7' : 'I8'];
  const [rows, inner, columns] = [33, 576, 40];
  const b = new GraphBuilder();
  const product = b.integerProduct(
    b.input('a', [rows, inner], 'uint8'),
    b.input('codes', [inner, columns], 'int8'),
    b.input('scales', [columns]),
    { zeroPoint: 128, factor: 1 },
  );
  const extreme = (count: number, numbers: readonly number[]): number[] =>
    Array.from({ length: count }, (_, i) => numbers[(i * 7 + (i >> 3)) % numbers.length]!);
  const values = new Map([
    ['a', tensor([rows, inner], extreme(rows * inner, [255, 255, 255, 0]))],
    ['codes', tensor([inner, columns], extreme(inner * columns, [limit, limit, -limit]))],
    ['scales', tensor([columns], extreme(columns, [1]))],
  ]);
  const program = makeProgram('extremes', { product });
  expect([...(await runOnDevice(device, program, values)).get('product')!.data]).toEqual([
    ...evaluate(program, values).get('product')!.data,
  ]);
});

test.each(['I8', 'I7'] as const)('%s: each code is the nearest one, in rows, which are smoothed, and in columns', (form) => {
  const { weights } = openModel('test/fixtures/models/llama3-rope');
  const name = 'model.layers.0.self_attn.k_proj.weight';
  const [rows, columns] = weights.info(name)!.shape as [number, number];
  const values = weights.readFloat32(name);
  const smoothing = Float32Array.from({ length: columns }, (_, column) => 2 ** ((column % 7) - 3));
  const parts = readMatrix(weights, name, form, undefined, undefined, smoothing).map(({ data }) => data as Float32Array);
  const [codes, scales, reverseCodes, reverseScales] = parts as [Float32Array, Float32Array, Float32Array, Float32Array];
  const limit = integerLimit[form];
  if (form === 'I8') {
    const above = readRounded(weights, ['model.layers.0.self_attn.v_proj.weight', name], smoothing);
    const stackRows = above.scales.length;
    expect(above.scales.subarray(stackRows - rows)).toEqual(scales);
    for (let column = 0; column < columns; column++)
      expect(above.codes.subarray((column + 1) * stackRows - rows, (column + 1) * stackRows)).toEqual(
        codes.subarray(column * rows, (column + 1) * rows),
      );
  }
  const largest = { code: 0, reverseCode: 0 };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = values[row * columns + column]!;
      const [code, reverseCode] = [codes[column * rows + row]!, reverseCodes[row * columns + column]!];
      expect(Math.abs(code * scales[row]! - value / smoothing[column]!)).toBeLessThanOrEqual(scales[row]! * 0.5001);
      expect(Math.abs(reverseCode * reverseScales[column]! - value)).toBeLessThanOrEqual(reverseScales[column]! * 0.5001);
      largest.code = Math.max(largest.code, Math.abs(code));
      largest.reverseCode = Math.max(largest.reverseCode, Math.abs(reverseCode));
    }
  }
  expect(largest).toEqual({ code: limit, reverseCode: limit });
  weights.close();
});

test('a block in integers computes what its definition says, forward and backward', async () => {
  const config = llamaConfig({
    layerCount: 1,
    hiddenSize: 48,
    intermediateSize: 72,
    headCount: 3,
    keyValueHeadCount: 1,
    headDim: 16,
  });
  const lora = { r: 3, alpha: 4, useRslora: false, targetModules: linearNames, layers: null };
  const shape = { batchSize: 1, sequenceLength: 7 };
  const block = new BlockGraph({
    config,
    shape,
    attentionKind: 0,
    device: 'cpu',
    forms: formsOfLinears(() => 'I7'),
    lora,
    dropout: 0,
  });
  for (const program of [block.forward(false), block.backward(false, true)]) {
    const values = inputsOf(program);
    const results = await runOnDevice(device, program, values);
    // A number that lies between two codes may be rounded to either; what follows differs by a code's worth.
    for (const [name, { data }] of evaluate(program, values))
      expectClose(results.get(name)!.data, data, 1e-2, `${program.name}: ${name}`);
  }
});

function inputsOf({ inputs }: Program): Map<string, Tensor> {
  const random = new Random(5);
  return new Map(
    [...inputs].map(([name, { dtype, shape }]) => {
      if (dtype === 'int8') return [name, tensor(shape, randomTensor(shape, random, -63, 63).data.map(Math.round))];
      if (dtype === 'int64')
        return [
          name,
          tensor(
            shape,
            Array.from({ length: elementCount(shape) }, (_, i) => i),
          ),
        ];
      if (name.endsWith('smoothing')) return [name, randomTensor(shape, random, 0.1, 1)];
      if (name.endsWith('scales')) return [name, randomTensor(shape, random, 0.001, 0.002)];
      return [name, randomTensor(shape, random)];
    }),
  );
}
