import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi, type MockInstance } from 'vitest';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { silentPorts } from '../../../src/runs/prepareRun.js';
import { parseRunConfig } from '../../../src/runs/runConfigFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { RunLoader } from '../../../src/runs/runLoader.js';
import { readSamples } from '../../../src/runs/samplesFile.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { FrozenWeights } from '../../../src/runtime/frozenWeights.js';
import { bundleForNode } from './bundle.js';

const model = fileURLToPath(new URL('../../fixtures/models/tiny-llama', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'run-loader-'));
const dataFile = join(folder, 'data.jsonl');

function writeData(word: string): void {
  const rows = Array.from({ length: 24 }, (_, n) => ({
    instruction: `Say ${word} ${n}.`,
    input: '',
    output: `${word} ${n * n}`,
  }));
  writeFileSync(dataFile, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

function directory(name: string, ...overrides: string[]): RunDirectory {
  const json = {
    model,
    data: { path: 'data.jsonl', format: 'alpaca', max_seq_length: 128, eval_fraction: 0.1 },
    lora: { r: 4, dropout: 0.2 },
    train: { max_steps: 3, sample_prompts: 1, batch_size: 2, learning_rate: 5e-3, eval_steps: 2, save_steps: 2 },
    engine: { threads: 1, base_dtype: 'int8' },
  };
  return RunDirectory.create(join(folder, name), parseRunConfig(JSON.stringify(json), join(folder, 'run.json'), overrides));
}

/** What a run leaves behind, without what depends on time. */
function outcome(run: RunDirectory) {
  const metrics = readMetrics(run.metricsPath).map((metric) =>
    'loss' in metric ? [metric.step, metric.loss, metric.grad_norm] : [metric.step, metric.eval_loss],
  );
  const adapter = readFileSync(join(run.adapterPath, 'adapter_model.safetensors')).toString('base64');
  return { adapter, metrics, texts: readSamples(run.samplesPath).map(({ text }) => text) };
}

beforeAll(() => writeData('plum'));

let loader: RunLoader;
let loads: MockInstance<typeof FrozenWeights.load>;
beforeEach(() => {
  loader = new RunLoader();
  loads = vi.spyOn(FrozenWeights, 'load');
});
afterEach(async () => {
  await loader.dispose();
  vi.restoreAllMocks();
});

async function train(run: RunDirectory): Promise<ReturnType<typeof outcome>> {
  await trainRun(run, { prepare: loader.prepare });
  return outcome(run);
}

test('runs that share data and base are, to the byte, what each is in a process of its own', async () => {
  const runs = [
    ['first'],
    ['rank', 'lora.r=8', 'lora.target_modules=["q_proj","down_proj"]'],
    ['batch', 'train.batch_size=4', 'train.max_steps=2', 'train.learning_rate=0.01'],
    ['again'],
  ] as const;
  const shared = [];
  for (const [name, ...overrides] of runs) shared.push(await train(directory(`shared-${name}`, ...overrides)));
  expect(loads).toHaveBeenCalledTimes(1);
  expect(shared[3]).toEqual(shared[0]);
  expect(readFileSync(join(folder, 'shared-rank', 'log.txt'), 'utf8')).toContain('The base is still loaded from the run before.');
  expect(readFileSync(join(folder, 'shared-first', 'log.txt'), 'utf8')).not.toContain('The base is still loaded');

  const program = await bundleForNode('trainModelChild.ts');
  for (const [index, [name, ...overrides]] of runs.slice(0, 3).entries()) {
    const alone = directory(`alone-${name}`, ...overrides);
    execFileSync(process.execPath, [program, alone.path], { stdio: 'inherit' });
    expect(outcome(alone), name).toEqual(shared[index]);
  }
});

test.each(['base_dtype="fp32"', 'layer_streaming="on"', 'threads=2'])('engine.%s is another base', async (setting) => {
  await train(directory(`engine-${setting}-before`, 'train.max_steps=1'));
  await train(directory(`engine-${setting}`, 'train.max_steps=1', `engine.${setting}`));
  expect(loads).toHaveBeenCalledTimes(2);
});

test('tokenized data is kept, unless its settings, the seed or the files have changed', async () => {
  const read = async (...overrides: string[]) => {
    const prepared = await loader.prepare(directory(`data-${Math.random()}`, ...overrides).readConfig(), silentPorts);
    await prepared.dispose();
    return prepared;
  };
  const first = await read();
  expect((await read('train.batch_size=1')).report).toBe(first.report);
  const others = [await read('train.seed=1'), await read('data.max_seq_length=120'), await read()];
  writeData('kaki'); // of the same length
  others.push(await read());
  writeData('plum');
  expect(new Set([first, ...others].map(({ report }) => report)).size).toBe(5);
  const fingerprints = [first, ...others].map(({ dataFingerprint }) => dataFingerprint);
  expect(fingerprints[3]).toBe(fingerprints[0]);
  expect(fingerprints[4]).not.toBe(fingerprints[0]);
  expect(loads).toHaveBeenCalledTimes(1);
});

describe('what is on the device', () => {
  /** Tensors and programs that are not released. */
  const alive = { tensors: 0, programs: 0 };
  let failingProgram: string | null;
  const { upload, fill, release, compile } = CpuDevice.prototype;

  beforeEach(() => {
    Object.assign(alive, { tensors: 0, programs: 0 });
    failingProgram = null;
    vi.spyOn(CpuDevice.prototype, 'upload').mockImplementation(function (this: CpuDevice, ...request) {
      alive.tensors++;
      return upload.apply(this, request);
    });
    vi.spyOn(CpuDevice.prototype, 'fill').mockImplementation(function (this: CpuDevice, ...request) {
      alive.tensors++;
      return fill.apply(this, request);
    });
    vi.spyOn(CpuDevice.prototype, 'release').mockImplementation(function (this: CpuDevice, tensor) {
      alive.tensors--;
      release.call(this, tensor);
    });
    vi.spyOn(CpuDevice.prototype, 'compile').mockImplementation(async function (this: CpuDevice, program, options) {
      const executable = await compile.call(this, program, options);
      alive.programs++;
      return {
        run: async (inputs, into) => {
          if (program.name === failingProgram) throw new Error('std::bad_alloc');
          const results = await executable.run(inputs, into);
          alive.tensors += [...results.keys()].filter((name) => !into?.has(name)).length;
          return results;
        },
        dispose: () => {
          alive.programs--;
          return executable.dispose();
        },
      };
    });
  });

  test('between runs it is the base, and at the end nothing', async () => {
    const between = [];
    for (const rank of [2, 8, 4, 2]) {
      await train(directory(`alive-${rank}-${between.length}`, `lora.r=${rank}`));
      between.push({ ...alive });
    }
    expect(between[0]).toMatchObject({ programs: 0 });
    expect(between[0]!.tensors).toBeGreaterThan(3 * 9);
    expect(new Set(between.map((each) => JSON.stringify(each))).size).toBe(1);
    await loader.dispose();
    expect(alive).toEqual({ tensors: 0, programs: 0 });
  });

  test('a run that runs out of memory leaves nothing there, and the next one loads the base again', async () => {
    const dispose = vi.spyOn(FrozenWeights.prototype, 'dispose');
    await train(directory('before-failing'));
    failingProgram = 'backward';
    const failing = directory('failing', 'lora.r=8');
    await expect(train(failing)).rejects.toMatchObject({ code: 'out-of-memory' });
    expect(failing.readState().status).toBe('failed');
    expect(alive.programs).toBe(0);
    expect(dispose).toHaveBeenCalledTimes(1);
    failingProgram = null;
    expect(await train(directory('after-failing'))).toEqual(outcome(RunDirectory.open(join(folder, 'before-failing'))));
  });

  test('nor does a run whose base cannot be loaded', async () => {
    failingProgram = 'loudest-inputs';
    await expect(train(directory('not-loaded'))).rejects.toThrow();
    expect(alive.programs).toBe(0);
    failingProgram = null;
    await train(directory('loaded', 'train.max_steps=1'));
    await loader.dispose();
    expect(alive.programs).toBe(0);
  });

  test('a run that is refused for its settings leaves the base to the next', async () => {
    await train(directory('before-refused', 'train.max_steps=1'));
    await expect(train(directory('refused', 'lora.layers=[3]'))).rejects.toMatchObject({ code: 'config-invalid' });
    await train(directory('after-refused', 'train.max_steps=1'));
    expect(loads).toHaveBeenCalledTimes(1);
  });
});
