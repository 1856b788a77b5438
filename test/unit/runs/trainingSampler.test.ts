import { appendFileSync, existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import type { Metric, Sample } from '../../../src/protocol/run.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { TrainingSampler, type SampleSource } from '../../../src/runs/trainingSampler.js';
import { readSamples } from '../../../src/runs/samplesFile.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { fakeConfig, prepareFake } from './fakeRun.js';

const prompts = ['a', 'b', 'c'].map((prompt, id) => ({ ids: [id], prompt, expected: prompt.toUpperCase() }));

/** Time passes only while the model loads and writes. */
class Stage {
  seconds = 0;
  loaded = 0;
  samples: Sample[] = [];
  notes: string[] = [];
  readonly source: SampleSource = {
    prompts,
    load: async (parameters) => {
      this.seconds += 1;
      this.loaded++;
      return {
        write: async ([id]) => {
          this.seconds += 1;
          return parameters ? `adapted ${id}` : `base ${id}`;
        },
        dispose: async () => void this.loaded--,
      };
    },
  };

  sampler(source = this.source): TrainingSampler {
    const note = (text: string) => void this.notes.push(text);
    return new TrainingSampler(source, {
      clock: () => this.seconds,
      note,
      addSample: (sample) => void this.samples.push(sample),
    });
  }

  steps(): number[] {
    return this.samples.map(({ step }) => step);
  }
}

const parameters = async () => new Map();

test('the base and the last step answer every prompt; between them a twentieth of the time is kept to', async () => {
  const stage = new Stage();
  const sampler = stage.sampler();
  await sampler.sample(0, false, () => expect.fail('the base has no adapter'));
  expect(stage.samples[2]).toEqual({ step: 0, prompt: 'c', expected: 'C', text: 'base 2' });
  await sampler.sample(10, false, parameters); // the twentieth is used up
  stage.seconds = 140; // a twentieth is 7 seconds: 4 are spent, loading takes 1
  await sampler.sample(20, false, parameters);
  await sampler.sample(30, true, parameters);
  expect(stage.steps()).toEqual([0, 0, 0, 20, 20, 30, 30, 30]);
  expect(stage.samples[3]!.text).toBe('adapted 0');
  expect(stage.loaded).toBe(0);
});

test('no room in memory: said, and tried again the next time', async () => {
  const stage = new Stage();
  let isFull = true;
  const sampler = stage.sampler({ prompts, load: (given) => (isFull ? Promise.resolve(null) : stage.source.load(given)) });
  await sampler.sample(0, false, parameters);
  isFull = false;
  await sampler.sample(8, true, parameters);
  expect(stage.notes).toEqual([expect.stringContaining('step 0')]);
  expect(stage.steps()).toEqual([8, 8, 8]);
});

test('a model that fails ends the samples and not the run', async () => {
  const stage = new Stage();
  const sampler = stage.sampler({ prompts, load: () => Promise.reject(new UserError('out-of-memory', 'Memory ran out.')) });
  await sampler.sample(0, false, parameters);
  await sampler.sample(8, true, parameters);
  expect(stage.notes).toEqual([expect.stringContaining('Memory ran out.')]);
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samples-'));
});

const create = (name: string, ...overrides: string[]) => RunDirectory.create(join(folder, name), fakeConfig(...overrides));
const train = (run: RunDirectory, onMetric: (metric: Metric) => unknown = () => undefined) =>
  trainRun(run, {
    prepare: (config) => prepareFake(config, { samples: new Stage().source }),
    listener: { onMetric: (metric) => void onMetric(metric) },
  });
const adapterOf = (run: RunDirectory) => readFileSync(join(run.adapterPath, 'adapter_model.safetensors'));

test('samples.jsonl of a run: cut to the checkpoint when it is resumed, absent when off, and the adapter is the same', async () => {
  const resumed = create('resumed', 'train.sample_prompts=3');
  await train(resumed, ({ step }) => step === 8 && resumed.writeControl('stop'));
  const base = readSamples(resumed.samplesPath).filter(({ step }) => step === 0);
  expect(base).toHaveLength(3);
  const lost = { step: 12, prompt: 'a', expected: 'A', text: 'of a step that was never saved' };
  appendFileSync(resumed.samplesPath, `${JSON.stringify(lost)}\n{"step":12,"pro`);
  await train(resumed);
  const samples = readSamples(resumed.samplesPath);
  expect(samples.filter(({ step }) => step === 0)).toEqual(base);
  expect(samples.filter(({ step }) => step === 40)).toHaveLength(3);
  expect(samples).not.toContainEqual(lost);

  const off = create('off', 'train.sample_prompts=0');
  await train(off);
  expect(existsSync(off.samplesPath)).toBe(false);
  expect(adapterOf(off).equals(adapterOf(resumed))).toBe(true);
});
