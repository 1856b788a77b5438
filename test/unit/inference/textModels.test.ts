import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { TextModels, type ReadyModel } from '../../../src/inference/textModels.js';
import { UserError, type ErrorCode } from '../../../src/core/errors.js';
import { greedy } from '../../../src/core/generate/sampling.js';
import * as adapterFolder from '../../../src/files/adapterFolder.js';
import { loadModel } from '../../../src/files/loadModel.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import * as engine from '../../../src/runtime/engine.js';
import { createTextModel } from '../../../src/runtime/onnxTextModel.js';
import { FailingDevice } from '../../support/failingDevice.js';

const path = 'test/fixtures/models/tiny-llama';
const request = { promptIds: [1, 2, 3], adapter: null, adapterStrength: 1, sampling: greedy, maxNewTokens: 4, endIds: [] };
const write = ({ textModel }: ReadyModel) => textModel.generate(request, () => true);

test('a model whose device is lost fails once; the next request loads it anew', async () => {
  let loads = 0;
  const models = new TextModels({ device: 'webgpu', threads: 1 }, async () => {
    const model = loadModel(path);
    const device = new CpuDevice(1);
    const textModel = await createTextModel(
      model.weights,
      loads++ === 0 ? new FailingDevice(device, 'decode', 3, true) : device,
      'fp32',
    );
    return { ...model, textModel, warning: () => null };
  });
  await expect(models.use(path, write)).rejects.toThrow('The GPU failed: injected.');
  expect((await models.use(path, write)).ids).toHaveLength(4);
  expect((await models.use(path, write)).ids).toHaveLength(4);
  expect(loads).toBe(2);
});

test.each<[ErrorCode, number]>([
  ['out-of-memory', 2],
  ['data-invalid', 1],
])('after %s it is loaded %i times for two requests', async (code, expected) => {
  let loads = 0;
  const models = new TextModels({ device: 'cpu', threads: 1 }, async () => {
    loads++;
    const model = loadModel(path);
    return { ...model, textModel: await createTextModel(model.weights, new CpuDevice(1), 'fp32'), warning: () => null };
  });
  await expect(models.use(path, () => Promise.reject(new UserError(code, 'No.')))).rejects.toThrow('No.');
  await models.use(path, write);
  expect(loads).toBe(expected);
});

test('several may use a model at once; another one is loaded when they are done, and in between nobody waits', async () => {
  const events: string[] = [];
  const models = new TextModels({ device: 'cpu', threads: 1 }, (asked) => {
    events.push(`load ${asked}`);
    const dispose = () => Promise.resolve(void events.push(`dispose ${asked}`));
    const weights = { close: () => undefined };
    return Promise.resolve({ textModel: { dispose }, weights } as unknown as ReadyModel);
  });
  const work = (name: string, turns: number) => async () => {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    events.push(name);
  };
  await Promise.all([
    models.use('a', work('long', 20)),
    models.use('a', work('short', 1)),
    models.use('b', work('other', 1)),
    models.use('a', work('again', 1)),
  ]);
  expect(events).toEqual(['load a', 'short', 'long', 'dispose a', 'load b', 'other', 'dispose b', 'load a', 'again']);
});

test('of many adapters the last ones used are kept in memory, the others read again', async () => {
  const read = vi.spyOn(adapterFolder, 'readAdapterFolder');
  const root = mkdtempSync(join(tmpdir(), 'lora-workbench-adapters-'));
  const folders = Array.from({ length: 5 }, (_, index) => join(root, String(index)));
  for (const folder of folders) cpSync('test/golden/training/tiny-llama-final', folder, { recursive: true });
  const models = new TextModels({ device: 'cpu', threads: 1 });
  const model = { ...loadModel(path), textModel: null as never, warning: () => null };
  const readsOf = (order: readonly number[]): number[] =>
    order.filter((index) => {
      const before = read.mock.calls.length;
      models.adapter(model, folders[index]!);
      return read.mock.calls.length > before;
    });
  expect(readsOf([0, 1, 2, 3, 0, 1, 2, 3, 0])).toEqual([0, 1, 2, 3]);
  expect(readsOf([4, 0, 2, 3, 1])).toEqual([4, 1]);
  rmSync(folders[1]!, { recursive: true });
  expect(() => models.adapter(model, folders[1]!)).toThrow(`There is no adapter at ${folders[1]}: it was moved or deleted.`);
  model.weights.close();
  rmSync(root, { recursive: true });
});

test('adapters that take turns, and the base alone, are lent the same loaded model, each with what it writes', async () => {
  let loads = 0;
  const models = new TextModels({ device: 'cpu', threads: 1 }, async () => {
    loads++;
    const model = loadModel(path);
    return { ...model, textModel: await createTextModel(model.weights, new CpuDevice(1), 'fp32'), warning: () => null };
  });
  const folders = [null, 'test/golden/training/tiny-llama-final'] as const;
  const turn = (folder: string | null) =>
    models.use(path, async (model) => {
      const written = await model.textModel.generate(
        { ...request, adapterStrength: 40, adapter: models.adapter(model, folder) },
        () => true,
      );
      return written.ids.join();
    });
  const alone = [await turn(folders[0]), await turn(folders[1])];
  expect(alone[0]).not.toBe(alone[1]);
  for (const index of [1, 0, 0, 1] as const) expect(await turn(folders[index])).toBe(alone[index]);
  expect(loads).toBe(1);
  await models.close();
});

test('that the CPU took over from a GPU is kept with the model', async () => {
  const weights = loadModel(path);
  const textModel = await createTextModel(weights.weights, new CpuDevice(1), 'fp32');
  vi.spyOn(engine, 'loadTextModel').mockImplementation((_weights, _engine, { note } = {}) => {
    note?.('The GPU failed: injected. Text is generated on the CPU from now on.');
    return Promise.resolve(textModel);
  });
  const models = new TextModels({ device: 'auto', threads: 1 });
  expect(await models.use(path, (model) => Promise.resolve(model.warning()))).toMatch(/^The GPU failed: injected/);
  await textModel.dispose();
  weights.weights.close();
});
