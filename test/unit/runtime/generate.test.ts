import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Adapter } from '../../../src/core/adapters/peft.js';
import { greedy } from '../../../src/core/generate/sampling.js';
import type { TextModel } from '../../../src/core/generate/textModel.js';
import { writeText, type WriteRequest } from '../../../src/core/generate/writeText.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { readTokenizerFolder } from '../../../src/files/tokenizerFiles.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { createTextModel } from '../../../src/runtime/onnxTextModel.js';
import { relativeDifference } from '../../support/tensors.js';
import { mapParameters } from '../../support/trainer.js';

const folder = 'test/fixtures/models/tiny-llama';
const tokens = readTokenizerFolder(folder);
const load = (): Promise<TextModel> => createTextModel(openModel(folder).weights, new CpuDevice(2), 'fp32');
let model: TextModel;

beforeAll(async () => void (model = await load()));
afterAll(() => model.dispose());

const base = { adapter: null, adapterStrength: 1, sampling: greedy, endIds: tokens.stopIds, maxNewTokens: 24 };

/** Made by test/golden/make_sampling.py. */
interface Written {
  readonly prompt: number[];
  readonly repetition_penalty: number;
  readonly ids: number[];
}
const { greedy: references } = JSON.parse(readFileSync('test/golden/sampling.json', 'utf8')) as { greedy: Written[] };

test('greedy text is that of transformers’ generate, with and without a repetition penalty', async () => {
  for (const { prompt, repetition_penalty, ids } of references) {
    const streamed: number[] = [];
    const sampling = { ...greedy, repetitionPenalty: repetition_penalty };
    const result = await model.generate({ ...base, promptIds: prompt, sampling }, (id) => streamed.push(id));
    const ended = tokens.stopIds.includes(ids.at(-1)!);
    expect(result.ids).toEqual(ended ? ids.slice(0, -1) : ids);
    expect(result.finishReason).toBe(ended ? 'end' : 'length');
    expect(streamed).toEqual(result.ids);
  }
});

describe('adapters on one loaded base', () => {
  const trained = readAdapterFolder('test/golden/training/tiny-llama-final');
  /** Six different adapters: more than are kept ready at once. */
  const adapters = Array.from({ length: 6 }, (_, i): Adapter => {
    const change = (data: Float32Array, name: string): Float32Array =>
      name.includes('lora_B') ? data.map((value, at) => value * ((at + i) % 7)) : data;
    return { ...trained, parameters: mapParameters(trained.parameters, change) };
  });
  const promptIds = references[2]!.prompt;

  test('are switched back and forth, each as on a base of its own', async () => {
    const voices = [null, ...adapters];
    const alone = await Promise.all(
      voices.map(async (adapter) => {
        const own = await load();
        const logits = await own.logits(promptIds, adapter, 1);
        await own.dispose();
        return logits;
      }),
    );
    for (const logits of alone.slice(1)) expect(relativeDifference(logits, alone[0]!)).toBeGreaterThan(1e-3);
    for (const index of [3, 0, 1, 2, 6, 5, 0, 4, 3, 3, 1, 6, 0]) {
      expect(await model.logits(promptIds, voices[index]!, 1)).toEqual(alone[index]!);
    }
  });

  test('at strength 0 are the base, at another strength something between and beyond', async () => {
    const at = (strength: number) => model.logits(promptIds, adapters[1]!, strength);
    const none = await model.logits(promptIds, null, 1);
    expect(await at(0)).toEqual(none);
    const distances = [];
    for (const strength of [0.5, 1, 1.5]) distances.push(relativeDifference(await at(strength), none));
    expect(distances[0]).toBeGreaterThan(1e-3);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
  });
});

describe.each(['fp32', 'stored', 'integers'] as const)(
  'the same request gives the same text to the bit, whatever was asked before (%s)',
  (dtype) => {
    const long = Array.from({ length: 700 }, (_, i) => 5 + ((i * 37) % 400));
    const prompts = [
      long,
      long.slice(0, 520),
      [...long.slice(0, 300), 9, 9, 9],
      long.slice(0, 512),
      long.slice(0, 5),
      references[2]!.prompt,
    ];
    const fresh = (): Promise<TextModel> => createTextModel(openModel(folder).weights, new CpuDevice(2), dtype);

    test('also where a part of the prompt is known', async () => {
      const firstAnswers = [];
      for (const promptIds of prompts) {
        const own = await fresh();
        const { ids } = await own.generate({ ...base, promptIds }, () => true);
        firstAnswers.push({ ids, logits: await own.logits(promptIds, null, 1) });
        await own.dispose();
      }
      const used = await fresh();
      let reused = 0;
      for (const index of [0, 0, 1, 3, 2, 0, 4, 5, 5, 1, 0]) {
        const promptIds = prompts[index]!;
        expect(await used.logits(promptIds, null, 1)).toEqual(firstAnswers[index]!.logits);
        // Ghost text reuses everything in the cache, and leaves what it read there in its own pieces.
        await used.generate({ ...base, promptIds: [...promptIds.slice(0, -1), 7], maxNewTokens: 3, reuse: 'all' }, () => true);
        const answer = await used.generate({ ...base, promptIds }, () => true);
        expect(answer.ids).toEqual(firstAnswers[index]!.ids);
        expect(answer.reusedTokens).toBe(Math.floor((promptIds.length - 1) / 256) * 256);
        reused += answer.reusedTokens;
      }
      expect(reused).toBeGreaterThan(0);
      expect(used.description).toBe(`CPU, 2 threads, ${dtype === 'fp32' ? 'fp32' : 'int8'} weights`);
      await used.dispose();
    });
  },
);

describe('text', () => {
  const request: WriteRequest = { ...base, promptIds: [...tokens.encode('The loss is the mean of')], stop: [], maxNewTokens: 40 };
  const write = async (changes: Partial<WriteRequest>, stopAfter = Infinity) => {
    const pieces: string[] = [];
    const controller = new AbortController();
    const onText = (piece: string) => pieces.push(piece) >= stopAfter && controller.abort();
    const written = await writeText(model, tokens, { ...request, ...changes }, onText, controller.signal);
    expect(pieces.join('')).toBe(written.text);
    return { ...written, pieces };
  };

  test('comes in pieces, and ends before a stop string', async () => {
    const whole = await write({});
    expect(whole.pieces.length).toBeGreaterThan(10);
    const stop = whole.text.slice(20, 25);
    const stopped = await write({ stop: [stop, 'never comes'] });
    expect(stopped).toMatchObject({ finishReason: 'stopped', text: whole.text.slice(0, whole.text.indexOf(stop)) });
  });

  test('ends where it is cancelled, with what there is', async () => {
    const { pieces, finishReason, newTokens } = await write({}, 3);
    expect(finishReason).toBe('stopped');
    expect(pieces).toHaveLength(3);
    expect(newTokens).toBeLessThan(10);
  });

  test('drawn with a seed is the same each time, with another seed another', async () => {
    const drawn = async (seed: number) => (await write({ sampling: { ...greedy, temperature: 1.5, seed } })).text;
    expect(await drawn(1)).toBe(await drawn(1));
    expect(await drawn(1)).not.toBe(await drawn(2));
  });

  test('ends where the model can read no further', async () => {
    const promptIds = Array.from({ length: model.contextLength - 5 }, (_, i) => 5 + (i % 400));
    const { ids } = await model.generate({ ...base, promptIds, endIds: [], maxNewTokens: 50 }, () => true);
    expect(ids).toHaveLength(5);
    await expect(model.generate({ ...base, promptIds: [...promptIds, ...ids] }, () => true)).rejects.toMatchObject({
      code: 'data-invalid',
      message: expect.stringContaining('reads at most 1024') as string,
    });
  });
});
