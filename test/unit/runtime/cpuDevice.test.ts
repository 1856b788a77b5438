import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { makeProgram } from '../../../src/core/graph/program.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { collectGarbage } from '../../../src/runtime/memory/collectGarbage.js';

const length = 2 ** 20;

function increment(): ReturnType<typeof makeProgram> {
  const b = new GraphBuilder();
  return makeProgram('increment', { y: b.add(b.input('x', [length]), b.scalar(1)) });
}

test('a run writes into the given tensor, its own input even, and nothing is copied besides', async () => {
  const device = new CpuDevice(1);
  const executable = await device.compile(increment());
  const x = await device.zeros([length]);
  await executable.run(new Map([['x', x]]), new Map([['y', x]]));
  const before = process.resourceUsage().minorPageFault;
  for (let run = 0; run < 8; run++) await executable.run(new Map([['x', x]]), new Map([['y', x]]));
  expect(process.resourceUsage().minorPageFault - before, 'pages touched for the first time, 1024 for each copy').toBeLessThan(
    2 * 1024,
  );
  const result = await device.download(x);
  expect([result[0], result[length - 1]]).toEqual([9, 9]);
  await executable.dispose();
});

test.runIf(process.platform === 'linux')('what a run allocates comes from what the last run left', async () => {
  const b = new GraphBuilder();
  const x = b.input('x', [length]);
  const held = Array.from({ length: 9 }, (_, i) => b.sqrt(b.scale(x, (i + 1) / 16))); // 4 MB each, all of them needed until the end
  const sum = held.reduce(b.add);
  const y = held.map((value) => b.reduceSum(b.multiply(value, sum), [0])).reduce(b.add);
  const device = new CpuDevice(1);
  const executable = await device.compile(makeProgram('holding', { y }));
  const inputs = new Map([['x', await device.zeros([length])]]);
  const run = async (): Promise<void> => (await executable.run(inputs)).forEach((result) => device.release(result));
  for (let count = 0; count < 16; count++) await run(); // may run on any of Node's threads
  const before = process.resourceUsage().minorPageFault;
  for (let count = 0; count < 8; count++) await run();
  expect(
    process.resourceUsage().minorPageFault - before,
    'pages touched for the first time, more than 6000 otherwise',
  ).toBeLessThan(4000);
  await executable.dispose();
});

test('what goes wrong within a run is not taken for its end', async () => {
  const device = new CpuDevice(1);
  const executable = await device.compile(increment());
  const short = await device.zeros([length - 1]);
  await expect(executable.run(new Map([['x', short]]))).rejects.toThrow(/x/);
  await executable.dispose();
});

test('a tensor is released once: a second time throws, and its memory goes to one tensor only', async () => {
  const device = new CpuDevice(1);
  const uploaded = await device.upload('float32', [4], new Float32Array(4));
  device.release(uploaded);
  expect(() => device.release(uploaded)).toThrow('internal: a tensor was released twice: float32 [4]');

  const pooled = await device.zeros([4]);
  device.release(pooled);
  expect(() => device.release(pooled)).toThrow('released twice');
  const [one, other] = [await device.fill('float32', [4], (into) => into.fill(1)), await device.zeros([4])];
  expect([...(await device.download(one))]).toEqual([1, 1, 1, 1]);
  expect([...(await device.download(other))]).toEqual([0, 0, 0, 0]);
});

test('constants are not kept beside the program that they are a part of', async () => {
  const width = 2048; // 16 MiB
  const b = new GraphBuilder();
  const program = makeProgram('product', { y: b.matmul(b.input('x', [1, width]), b.input('w', [width, width])) });
  const held = (): number => {
    for (let times = 0; times < 3; times++) collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const before = held();
  const constants = () => new Map([['w', new Uint8Array(4 * width * width)]]);
  const executable = await new CpuDevice(1).compile(program, { constants });
  expect(held() - before).toBeLessThan(2 * width * width);
  await executable.dispose();
});
