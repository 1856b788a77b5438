import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { detectFormat } from '../../../src/core/data/detectFormat.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { diskFiles } from '../../../src/files/dataFiles.js';
import { openModel } from '../../../src/files/openModel.js';
import { readTokenizerFolder } from '../../../src/files/tokenizerFiles.js';
import { readLatestCheckpoint } from '../../../src/runs/checkpoints.js';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { asOtherUser } from '../../support/asOtherUser.js';
import { fakeConfig, prepareFake } from '../runs/fakeRun.js';

let folder: string;
let closed: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'closed-'));
  chmodSync(folder, 0o755);
  closed = [];
});
afterEach(() => {
  for (const path of closed) chmodSync(path, 0o755);
  rmSync(folder, { recursive: true });
});

function close(...path: string[]): void {
  closed.push(join(folder, ...path));
  chmodSync(closed.at(-1)!, 0);
}

/** Expects an error that names the file and says that permission is missing. */
function expectDenied(file: string, read: () => unknown): void {
  expect(() => asOtherUser(read)).toThrow(
    expect.objectContaining({
      code: 'permission-denied',
      message: `${join(folder, file)} cannot be read: permission denied. Give your user permission to read it and to open the folders above it.`,
    }),
  );
}

describe.runIf(process.platform !== 'win32')('where permission is missing, that is what is said, and of which file', () => {
  test.each(['config.json', 'model.safetensors'])('a model: %s', (name) => {
    cpSync('test/fixtures/models/tiny-llama', join(folder, 'model'), { recursive: true });
    close('model', name);
    expectDenied(`model/${name}`, () => openModel(join(folder, 'model')));
  });

  test('a model in a folder that may not be entered', () => {
    cpSync('test/golden/formats/qwen2.gguf', join(folder, 'models', 'qwen2.gguf'));
    close('models');
    expectDenied('models/qwen2.gguf', () => openModel(join(folder, 'models/qwen2.gguf')));
    expectDenied('models', () => openModel(join(folder, 'models')));
  });

  test('a tokenizer', () => {
    cpSync('test/fixtures/models/tiny-llama', join(folder, 'model'), { recursive: true });
    close('model/tokenizer_config.json');
    expectDenied('model/tokenizer_config.json', () => readTokenizerFolder(join(folder, 'model')));
  });

  test('an adapter is not said to have been moved or deleted', () => {
    cpSync('test/golden/adapters/rslora', join(folder, 'run', 'adapter'), { recursive: true });
    close('run');
    expectDenied('run/adapter', () => readAdapterFolder(join(folder, 'run/adapter')));
  });

  test('data: a file, a folder above it', () => {
    const path = join(folder, 'data', 'a.jsonl');
    cpSync('examples', join(folder, 'data'), { recursive: true });
    writeFileSync(path, '{"text": "a"}\n');
    close('data', 'a.jsonl');
    expectDenied('data/a.jsonl', () => detectFormat(diskFiles.open(path)));
    close('data');
    expectDenied('data/a.jsonl', () => diskFiles.open(path));
  });

  test.each(['run.json', 'state.json'])('a run: %s', (name) => {
    const { path } = RunDirectory.create(join(folder, 'run'), fakeConfig());
    close('run', name);
    const read = () => {
      const run = RunDirectory.open(path);
      return [run.readConfig(), run.readState()];
    };
    expectDenied(`run/${name}`, read);
  });

  test('a run in a folder that may not be entered is not said to be none', () => {
    RunDirectory.create(join(folder, 'runs', 'run'), fakeConfig());
    close('runs');
    expectDenied('runs/run/run.json', () => RunDirectory.open(join(folder, 'runs/run')));
  });

  test('a run’s metrics, and its newest checkpoint, behind which nobody goes back', async () => {
    const run = RunDirectory.create(join(folder, 'run'), fakeConfig());
    await trainRun(run, { prepare: (config) => prepareFake(config) });
    close('run', 'metrics.jsonl');
    expectDenied('run/metrics.jsonl', () => readMetrics(run.metricsPath));
    close('run', 'checkpoints', 'step-40', 'state.safetensors');
    expectDenied('run/checkpoints/step-40/state.safetensors', () =>
      readLatestCheckpoint(run.checkpointsPath, (message) => {
        throw new Error(message);
      }),
    );
  });
});
