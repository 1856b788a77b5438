import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { makeProgram } from '../../../src/core/graph/program.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';

const numbers = [0, -0, 1, NaN, Infinity, -Infinity, 1e-30];

test('constants become one value where they are equal to the bit, and only there', () => {
  const b = new GraphBuilder();
  const ids = numbers.map((number) => b.scalar(number).id);
  expect(new Set(ids).size).toBe(numbers.length);
  expect(numbers.map((number) => b.scalar(number).id)).toEqual(ids);
  expect(b.constant([0, NaN], [2])).not.toBe(b.constant([0, Infinity], [2]));
  expect(b.constant([1], [1])).not.toBe(b.constant([1], [1], 'int32'));
  expect(b.constant([1], [1])).not.toBe(b.constant([1], []));
});

test('and they reach the device as they are', async () => {
  const b = new GraphBuilder();
  const device = new CpuDevice(1);
  const x = b.input('x', [1]);
  const each = numbers.map((number) => b.multiply(x, b.constant([number], [1])));
  const executable = await device.compile(makeProgram('constants', { y: b.concat(each, 0) }));
  const results = await executable.run(new Map([['x', await device.upload('float32', [1], Float32Array.of(1))]]));
  // ONNX Runtime itself uses one constant for both 0 and −0.
  expect([...(await device.download(results.get('y')!))].map((number) => number + 0)).toEqual(
    numbers.map((number) => Math.fround(number) + 0),
  );
  await executable.dispose();
});
