import type { DataReport } from '../../core/data/report.js';
import type { UserError } from '../../core/errors.js';
import { t } from '../../l10n/text.js';
import type { RunConfig } from '../../protocol/runConfig.js';
import { evaluations, forwardShare } from './measureStep.js';
import { warmupSteps } from '../derivedSettings.js';

/** Things that look wrong but do not prevent the run; each says what to do. */
export function preflightWarnings(
  config: RunConfig,
  report: DataReport,
  totalSteps: number,
  textProblem: UserError | null,
): string[] {
  return [
    ...report.warnings,
    ...warmupWarning(config, totalSteps),
    ...evaluationWarning(config, report, totalSteps),
    ...samplesWarning(config, report, textProblem),
  ];
}

function samplesWarning({ train }: RunConfig, { evaluation }: DataReport, textProblem: UserError | null): string[] {
  if (train.sample_prompts === 0 || !evaluation || !textProblem) return [];
  return [t`The model's answers to held-out prompts are not shown while it trains. ${textProblem.message}`];
}

function warmupWarning({ train }: RunConfig, totalSteps: number): string[] {
  const steps = warmupSteps(train, totalSteps);
  if (steps < totalSteps || steps === 0) return [];
  const setting = train.warmup_steps === null ? 'train.warmup_ratio' : 'train.warmup_steps';
  return [
    t`The warm-up of ${steps} steps is as long as the run of ${totalSteps}, so the learning rate does not reach ${train.learning_rate}; lower ${setting}.`,
  ];
}

function evaluationWarning({ train }: RunConfig, { training, evaluation }: DataReport, totalSteps: number): string[] {
  const count = evaluations(train, totalSteps);
  const tokensPerStep = (training.tokens / training.examples) * train.batch_size * train.gradient_accumulation_steps;
  const share = (forwardShare * count * (evaluation?.tokens ?? 0)) / (totalSteps * tokensPerStep);
  if (share < 0.5) return [];
  return [
    t`The ${count} evaluations will take about ${Math.round(share * 100)} % of the time of the training itself; raise train.eval_steps or lower data.eval_fraction.`,
  ];
}
