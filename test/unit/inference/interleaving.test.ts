/** Several texts at a time on one model: turns, results, and what is kept. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { greedy } from '../../../src/core/generate/sampling.js';
import type { TextModel } from '../../../src/core/generate/textModel.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import type { DeviceTensor } from '../../../src/runtime/device.js';
import { createTextModel } from '../../../src/runtime/onnxTextModel.js';

const { weights } = openModel('test/fixtures/models/tiny-llama');
const adapter = readAdapterFolder('test/golden/training/tiny-llama-final');
const request = { adapter: null, adapterStrength: 1, sampling: greedy, endIds: [], maxNewTokens: 12 };
const promptOf = (length: number, factor: number) => Array.from({ length }, (_, i) => 5 + ((i * factor) % 400));
/** With and without the adapter; the fourth is read in several pieces, while the others write. */
const requests = [
  { ...request, promptIds: promptOf(5, 3) },
  { ...request, promptIds: promptOf(5, 3), adapter },
  { ...request, promptIds: promptOf(9, 7), sampling: { ...greedy, temperature: 1, seed: 7 } },
  { ...request, promptIds: promptOf(700, 37), maxNewTokens: 4 },
  { ...request, promptIds: promptOf(30, 11), adapter, adapterStrength: 0.5 },
  { ...request, promptIds: promptOf(8, 13), maxNewTokens: 20 },
];

/** Counts what the device holds. */
class CountingDevice extends CpuDevice {
  readonly held = new Set<DeviceTensor>();
  override async zeros(...given: Parameters<CpuDevice['zeros']>): Promise<DeviceTensor> {
    return this.hold(await super.zeros(...given));
  }
  override async upload(...given: Parameters<CpuDevice['upload']>): Promise<DeviceTensor> {
    return this.hold(await super.upload(...given));
  }
  override release(tensor: DeviceTensor): void {
    this.held.delete(tensor);
    super.release(tensor);
  }
  private hold(tensor: DeviceTensor): DeviceTensor {
    this.held.add(tensor);
    return tensor;
  }
}

const device = new CountingDevice(1);
let model: TextModel;
beforeAll(async () => void (model = await createTextModel(weights, device, 'fp32')));
afterAll(() => model.dispose());

test('each gives what it gives alone', async () => {
  const alone = [];
  for (const each of requests) alone.push((await model.generate(each, () => true)).ids);
  for (let round = 0; round < 2; round++) {
    const together = await Promise.all(requests.map((each) => model.generate(each, () => true)));
    expect(together.map(({ ids }) => ids)).toEqual(alone);
  }
});

test('they take turns token by token; a long prompt in between is read in pieces', async () => {
  const order: string[] = [];
  const write = (name: string, promptIds: readonly number[]) => model.generate({ ...request, promptIds }, () => order.push(name));
  await Promise.all([write('a', promptOf(5, 17)), write('b', promptOf(6, 19)), write('c', promptOf(700, 23))]);
  const firstOfC = order.indexOf('c');
  expect(order.slice(0, firstOfC).join('')).toMatch(/^(ab){2,3}a?$/);
  const all = order.slice(firstOfC, firstOfC + 3 * 8).join('');
  expect(all).toMatch(/^(cab|cba)+$/);
});

test('more than four wait in order, and one that is cancelled while it waits leaves the others alone', async () => {
  const ended: number[] = [];
  const cancel = new AbortController();
  const texts = Array.from({ length: 8 }, async (_, index) => {
    const signal = index === 5 ? { signal: cancel.signal } : {};
    const { finishReason } = await model.generate({ ...request, promptIds: promptOf(4 + index, 3), ...signal }, () => true);
    ended.push(index);
    return finishReason;
  });
  cancel.abort();
  expect(await Promise.all(texts)).toEqual(texts.map((_, index) => (index === 5 ? 'stopped' : 'length')));
  expect(ended).toEqual([5, 0, 1, 2, 3, 4, 6, 7]);
});

test('one that is cancelled amid its prompt or its text ends there, with what there is', async () => {
  const amidPrompt = new AbortController();
  const long = model.generate({ ...request, promptIds: promptOf(900, 29), signal: amidPrompt.signal }, () => true);
  const written: number[] = [];
  const amidText = new AbortController();
  const short = model.generate({ ...request, promptIds: promptOf(7, 5), maxNewTokens: 500, signal: amidText.signal }, (id) => {
    amidPrompt.abort();
    if (written.push(id) === 3) amidText.abort();
  });
  expect(await long).toMatchObject({ ids: [], finishReason: 'stopped' });
  expect(await short).toMatchObject({ ids: written, finishReason: 'stopped' });
  expect(written).toHaveLength(3);
});

test('whatever was asked, no more is kept than four caches and their adapters', async () => {
  const keep = async () => {
    for (let round = 0; round < 2; round++) await Promise.all(requests.map((each) => model.generate(each, () => true)));
    return device.held.size;
  };
  const first = await keep();
  expect(await keep()).toBeLessThanOrEqual(first);
  const own = await createTextModel(weights, device, 'fp32');
  const before = device.held.size;
  await Promise.all(requests.map((each) => own.generate(each, () => true)));
  await own.dispose();
  expect(device.held.size).toBe(before);
});

test('probabilities are those of the model’s logits, whatever the sampler does', async () => {
  const promptIds = promptOf(6, 31);
  const sampling = { ...greedy, temperature: 1.3, topK: 20, repetitionPenalty: 1.2, seed: 3 };
  const told: { id: number; logprob: number; top: readonly { id: number; logprob: number }[] }[] = [];
  const { ids } = await model.generate({ ...request, promptIds, sampling, topLogprobs: 5 }, (_, logprobs) =>
    told.push(logprobs!),
  );
  expect(told.map(({ id }) => id)).toEqual(ids);
  for (const [index, { id, logprob, top }] of told.entries()) {
    const logits = [...(await model.logits([...promptIds, ...ids.slice(0, index)], null, 1))];
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    const expected = logits.map((logit, each) => ({ id: each, logprob: logit - Math.log(sum) }));
    expect(logprob).toBeCloseTo(expected[id]!.logprob, 4);
    const best = expected.toSorted((a, b) => b.logprob - a.logprob).slice(0, 5);
    expect(top.map((each) => each.id)).toEqual(best.map((each) => each.id));
    top.forEach((each, place) => expect(each.logprob).toBeCloseTo(best[place]!.logprob, 4));
  }
});
