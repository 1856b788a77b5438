import type { BaseDType } from '../../../src/core/models/matrixForm.js';
import type { RunConfig } from '../../../src/protocol/runConfig.js';
import { parseRunConfig } from '../../../src/runs/runConfigFile.js';
import type { QueuedSweeps } from '../../../src/runs/queue/queuedSweeps.js';
import type { SampleSource } from '../../../src/runs/trainingSampler.js';
import type { PreparedRun } from '../../../src/runs/trainRun.js';
import { FakeRunner, fakeData, microBatches } from '../train/fakeRunner.js';

/** A run of FakeRunner's linear regression, with noise in place of dropout. */
export function fakeConfig(...overrides: string[]): RunConfig {
  const text = `{"model": "/model", "data": {"path": "/data"}, "lora": {"layers": [0], "target_modules": ["q_proj"]},
    "train": {"max_steps": 40, "warmup_steps": 3, "gradient_accumulation_steps": 2, "eval_steps": 6, "save_steps": 4,
              "learning_rate": 0.05}}`;
  return parseRunConfig(text, '/run.json', overrides);
}

export interface FakeOptions {
  /** Milliseconds that each micro-batch takes. */
  readonly delay?: number;
  readonly dataFingerprint?: string;
  readonly parameters?: number;
  readonly baseDType?: BaseDType;
  readonly samples?: SampleSource;
}

export async function prepareFake(config: RunConfig, options: FakeOptions = {}): Promise<PreparedRun> {
  const runner = new FakeRunner(Array<number>(options.parameters ?? 2).fill(0.5), 0.7);
  const accumulate = runner.accumulate.bind(runner);
  runner.accumulate = async (batch, seed) => {
    if (options.delay) await new Promise((resolve) => setTimeout(resolve, options.delay));
    return accumulate(batch, seed);
  };
  return {
    runner,
    data: fakeData(5, microBatches([1, 2])),
    dataFingerprint: options.dataFingerprint ?? 'same',
    dataFormat: 'text',
    manifest: null,
    teachesMarkers: false,
    totalSteps: config.train.max_steps!,
    baseDType: options.baseDType ?? 'fp32',
    lora: { r: 8, alpha: 16, targetModules: ['q_proj'], layers: [0], useRslora: false },
    baseModel: config.model,
    samples: config.train.sample_prompts > 0 ? (options.samples ?? null) : null,
    dispose: () => runner.dispose(),
  };
}

/** For a queue without sweeps. */
export const noSweeps: QueuedSweeps = {
  stepLimitOf: () => null,
  afterRun: async () => undefined,
};
