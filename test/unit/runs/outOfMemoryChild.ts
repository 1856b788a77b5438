// Trains the run directory given as argument on a model with random weights. After the second step, the process may take only a
// little more memory than it has, and longer sequences arrive: ONNX Runtime finds no room for one large tensor, while V8 still
// finds room for its own. Usage: node outOfMemoryChild.mjs RUN
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { randomBatch } from '../../../bench/randomBatch.js';
import { randomWeights, smolLm2 } from '../../../bench/shapes.js';
import { UserError } from '../../../src/core/errors.js';
import { initialLoraState } from '../../../src/core/train/loraInit.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { createTrainer } from '../../../src/runtime/engine.js';

/** Gate and up of a long batch take 201 MB each; everything needed before them takes less than half of that. */
const config = { ...smolLm2, layerCount: 1, vocabSize: 512, intermediateSize: 24_576 };
const lora = { r: 8, alpha: 16, useRslora: false, targetModules: ['q_proj'], layers: null } as const;
const batch = { batchSize: 2, sequenceLength: 1024 };

const run = RunDirectory.open(process.argv[2]!);
try {
  await trainRun(run, { prepare });
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.exitCode = 1;
}

async function prepare({ engine }: ReturnType<RunDirectory['readConfig']>) {
  const { runner, memory } = await createTrainer({
    weights: randomWeights(config),
    lora,
    dropout: 0,
    initialState: initialLoraState(config, lora, 0),
    batch,
    engine,
  });
  return {
    runner,
    data: { epoch: () => ({ count: 3, batch: (index: number) => (index < 2 ? short() : long()) }), evaluation: null },
    dataFingerprint: '',
    dataFormat: 'text' as const,
    manifest: null,
    teachesMarkers: false,
    totalSteps: 3,
    baseDType: memory.request.baseDType,
    lora,
    baseModel: 'random',
    samples: null,
    dispose: () => runner.dispose(),
  };
}

function short() {
  return randomBatch(config, { batchSize: 1, sequenceLength: 16 }, 1);
}

function long() {
  const size = Number(/^VmSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
  execFileSync('prlimit', ['--pid', String(process.pid), `--as=${size + 180e6}`]);
  return randomBatch(config, batch, 1);
}
