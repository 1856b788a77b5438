import { trainedShare } from '../../src/protocol/halving.js';
import type { RunConfig } from '../../src/protocol/runConfig.js';
import type { SettingValue } from '../../src/protocol/sweep.js';
import type { SweepPlan } from '../../src/protocol/views/sweep.js';
import { valueAt } from '../shared/settings.js';
import { tokensPerStep, totalSteps } from '../shared/totalSteps.js';
import { trainableParameters } from '../shared/trainableParameters.js';

export interface PlanEstimate {
  /** Of all runs together; undefined while it is not known. */
  readonly steps: number | undefined;
  readonly seconds: number | undefined;
  /** Of the smallest and the largest adapter. */
  readonly parameters: readonly [number, number] | undefined;
}

type Parameters = Readonly<Record<string, readonly SettingValue[]>>;

export function runCount(parameters: Parameters): number {
  return Object.values(parameters).reduce((product, { length }) => product * length, 1);
}

/** What all runs take together, at the pace that is known for the shared settings. With `eta`, most runs are left early. */
export function estimateOf({ check, rows, modelShape }: SweepPlan, parameters: Parameters, eta: number | null): PlanEstimate {
  if (!check?.ok) return { steps: undefined, seconds: undefined, parameters: undefined };
  const runs = combinations(parameters).map((values) => settingsOf(check.config, values));
  const steps = runs.map((settingAt) => totalSteps(settingAt, rows) ?? Number.NaN);
  const usual = tokensPerStep((path) => valueAt(check.config, path));
  const relative = runs.map((settingAt, run) => (steps[run]! * tokensPerStep(settingAt)) / usual);
  const counts = modelShape ? runs.map((settingAt) => parametersOf(settingAt, modelShape)) : [];
  const share = eta === null ? 1 : trainedShare(runs.length, steps[0]!, eta);
  return {
    steps: known(Math.round(share * sum(steps))),
    seconds: known(share * sum(relative) * (check.estimate.secondsPerStep ?? Number.NaN)),
    parameters: counts.length > 0 ? [Math.min(...counts), Math.max(...counts)] : undefined,
  };
}

type SettingAt = (path: readonly string[]) => unknown;

function settingsOf(config: RunConfig, values: Readonly<Record<string, SettingValue>>): SettingAt {
  return (path) => {
    const own = values[path.join('.')];
    return own === undefined ? valueAt(config, path) : own;
  };
}

function combinations(parameters: Parameters): readonly Readonly<Record<string, SettingValue>>[] {
  return Object.entries(parameters).reduce<readonly Readonly<Record<string, SettingValue>>[]>(
    (found, [setting, values]) => found.flatMap((made) => values.map((value) => ({ ...made, [setting]: value }))),
    [{}],
  );
}

function parametersOf(settingAt: SettingAt, shape: NonNullable<SweepPlan['modelShape']>): number {
  const layers = settingAt(['lora', 'layers']) as readonly number[] | null;
  const modules = settingAt(['lora', 'target_modules']) as readonly string[];
  return trainableParameters(shape, Number(settingAt(['lora', 'r'])), modules, layers);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function known(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
