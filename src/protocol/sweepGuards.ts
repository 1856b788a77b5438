/** @file Run-time checks for sweeps, and for what is asked for and told of them. */
import { completionScores } from './completionReport.js';
import { runConfig } from './configGuards.js';
import { boolean, count, either, list, nullable, number, object, oneOf, recordOf, string, type Guard } from './guard.js';
import { runStatuses } from './run.js';
import type {
  LossDifference,
  SettingValue,
  SweepRecommendation,
  SweepReport,
  SweepRequest,
  SweepRow,
  SweepRun,
} from './sweep.js';

const settingValue: Guard<SettingValue> = nullable(either(string, number, boolean, list(either(string, number))));
const settings = recordOf(settingValue);

/** What is asked for, apart from the config, which has a check of its own. */
export const sweptSettings = {
  parameters: recordOf(list(settingValue)),
  halving: nullable(object({ eta: count })),
};
export const sweepRequest: Guard<SweepRequest> = object({ name: nullable(string), config: runConfig, ...sweptSettings });
export const sweepRun: Guard<SweepRun> = object({ folder: string, settings });

const difference: Guard<LossDifference> = object({ difference: number, halfInterval: nullable(number) });
const row: Guard<SweepRow> = object({
  runId: string,
  name: string,
  settings,
  status: oneOf(...runStatuses),
  step: count,
  totalSteps: count,
  leftAtStep: nullable(count),
  heldOutLoss: nullable(number),
  toBest: nullable(difference),
  trainableParameters: count,
  seconds: nullable(number),
  peakMemoryBytes: nullable(number),
  tokensPerSecond: nullable(number),
  completion: nullable(completionScores),
});

/** The recommendation points at rows that there are. */
export const sweepReport: Guard<SweepReport> = (value): value is SweepReport => {
  if (!report(value)) return false;
  const { recommendation, rows } = value;
  return recommendation === null || Math.max(recommendation.take, recommendation.best) < rows.length;
};
const report: Guard<SweepReport> = object({
  sweepId: string,
  name: string,
  model: string,
  dataPath: string,
  settings: list(string),
  rungs: list(count),
  isComplete: boolean,
  baseLoss: nullable(number),
  isOfCode: boolean,
  rows: list(row),
  recommendation: nullable(object<SweepRecommendation>({ take: count, best: count, isUncertain: boolean })),
});
