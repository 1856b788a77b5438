/**
 * Performs one training run as the trainer does, on a model with random weights. Prints the expected and the measured memory as
 * one line of JSON. Run by memory.mjs in a separate process; its only argument is a MemoryCase as JSON.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelConfig } from '../src/core/models/config.js';
import type { BaseDType } from '../src/core/models/matrixForm.js';
import { linearNames } from '../src/core/models/linears.js';
import { initialLoraState } from '../src/core/train/loraInit.js';
import { parseRunConfig } from '../src/runs/runConfigFile.js';
import { RunDirectory } from '../src/runs/runDirectory.js';
import { trainRun, type PreparedRun } from '../src/runs/trainRun.js';
import { createTrainer } from '../src/runtime/engine.js';
import { peakMemoryBytes } from '../src/runtime/memory/peak.js';
import { randomBatch } from './randomBatch.js';
import { randomWeights, smolLm2 } from './shapes.js';

interface MemoryCase {
  /** Where the model differs from SmolLM2-135M. */
  readonly config?: Partial<ModelConfig>;
  readonly device?: 'cpu' | 'webgpu';
  readonly baseDType: BaseDType;
  readonly checkpointing: boolean;
  readonly streaming?: boolean;
  readonly batchSize: number;
  readonly sequenceLength: number;
  readonly rank: number;
  readonly dropout?: number;
  /** Batches of eight lengths, the shortest first, as with data that is not packed. */
  readonly mixedLengths?: boolean;
}

const wanted = JSON.parse(process.argv[2]!) as MemoryCase;
const lengths = wanted.mixedLengths
  ? [1, 2, 3, 4, 5, 6, 7, 8].map((eighths) => (eighths * wanted.sequenceLength) / 8)
  : [wanted.sequenceLength, wanted.sequenceLength];

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'memory-'));
  const settings = { model: 'random', data: { path: '.' }, train: { max_steps: lengths.length, save_steps: 1 } };
  const run = RunDirectory.create(join(folder, 'run'), parseRunConfig(JSON.stringify(settings), folder));
  let expected = {};
  await trainRun(run, {
    prepare: async () => {
      const { prepared, estimate } = await prepare();
      expected = estimate;
      return prepared;
    },
  });
  rmSync(folder, { recursive: true });
  console.log(JSON.stringify({ ...wanted, ...expected, measured: peakMemoryBytes() }));
}

async function prepare() {
  const config = { ...smolLm2, ...wanted.config };
  const lora = { r: wanted.rank, alpha: 2 * wanted.rank, useRslora: false, targetModules: linearNames, layers: null };
  const batches = lengths.map((sequenceLength) => randomBatch(config, { ...wanted, sequenceLength }, 1));
  const { runner, memory } = await createTrainer({
    weights: randomWeights(config),
    lora,
    dropout: wanted.dropout ?? 0,
    initialState: initialLoraState(config, lora, 0),
    batch: wanted,
    engine: {
      device: wanted.device ?? 'cpu',
      base_dtype: wanted.baseDType,
      threads: 2,
      gradient_checkpointing: wanted.checkpointing ? 'on' : 'off',
      layer_streaming: wanted.streaming ? 'on' : 'off',
      memory_check: 'warn',
    },
  });
  const prepared: PreparedRun = {
    runner,
    data: { epoch: () => ({ count: batches.length, batch: (index) => batches[index]! }), evaluation: null },
    dataFormat: 'text',
    manifest: null,
    teachesMarkers: false,
    dataFingerprint: '',
    totalSteps: lengths.length,
    baseDType: wanted.baseDType,
    lora,
    baseModel: 'random',
    samples: null,
    dispose: () => runner.dispose(),
  };
  return { prepared, estimate: memory.estimate };
}

void main();
