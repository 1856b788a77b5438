import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { t } from '../l10n/text.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { prepareRun } from '../runs/prepareRun.js';
import { RunDirectory } from '../runs/runDirectory.js';
import { trainRun } from '../runs/trainRun.js';

/** Where a run keeps its control. */
export function controlOf(run: RunDirectory): string {
  return join(run.path, 'control');
}

/**
 * Trains the run's control: the same model, settings and number of steps, on the code in `folder` (docs/decisions/0028). Once trained,
 * it is kept; what was interrupted is continued. Returns its adapter's folder.
 */
export async function trainControl(
  run: RunDirectory,
  folder: string,
  report: (step: number, totalSteps: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const config = controlConfig(run, resolve(folder));
  const control = openControl(controlOf(run), config);
  if (control.readState().status !== 'finished') {
    await trainRun(control, {
      prepare: prepareRun,
      signal,
      listener: { onMetric: (metric, totalSteps) => report(metric.step, totalSteps) },
    });
    signal.throwIfAborted();
  }
  return control.adapterPath;
}

function openControl(path: string, config: RunConfig): RunDirectory {
  if (!existsSync(path)) return RunDirectory.create(path, config);
  const control = RunDirectory.open(path);
  const { data, train } = control.readConfig();
  if (data.path === config.data.path && train.max_steps === config.train.max_steps) return control;
  throw new UserError(
    'run-busy',
    t`${path} is a control trained on ${data.path} for ${String(train.max_steps)} steps. Use that one, or remove the folder first.`,
  );
}

/** Nothing of the control's own data is held out, because nobody looks at its loss. */
function controlConfig(run: RunDirectory, folder: string): RunConfig {
  const config = run.readConfig();
  const { step } = run.readState();
  if (step === 0) throw new UserError('run-busy', t`${run.path} has not been trained yet, so its control cannot be.`);
  return {
    ...config,
    data: {
      ...config.data,
      path: folder,
      format: 'code',
      eval_path: null,
      eval_fraction: 0,
      include: null,
      exclude: [],
      languages: null,
    },
    train: { ...config.train, max_steps: step, early_stopping_patience: null, sample_prompts: 0 },
  };
}
