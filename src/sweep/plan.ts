/** @file From the values of some settings to the runs that try them. */
import { UserError } from '../core/errors.js';
import { t } from '../l10n/text.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { settingSchema } from '../protocol/runConfigSchema.js';
import type { SettingValue, SettingValues, SweepRequest } from '../protocol/sweep.js';
import { variableDataSettings } from '../protocol/sweepSettings.js';
import { validateRunConfig } from '../protocol/validateRunConfig.js';
import { applyOverrides } from '../runs/runConfigFile.js';
import { mostRuns } from './sweepFolder.js';

export interface PlannedRun {
  readonly settings: SettingValues;
  readonly config: RunConfig;
}

/** All combinations of the values, the last setting varying fastest. Throws UserError for what cannot be tried or compared. */
export function planRuns(request: SweepRequest): PlannedRun[] {
  const { config, parameters, halving } = request;
  const varied = Object.entries(parameters);
  for (const [setting, values] of varied) checkVaried(setting, values, request);
  if (config.data.eval_path === null && config.data.eval_fraction === 0)
    throw refused(
      t`A sweep compares losses on held-out data, and nothing is held out: set data.eval_fraction or data.eval_path.`,
    );
  const count = varied.reduce((product, [, values]) => product * values.length, 1);
  if (count < 2 || count > mostRuns) throw refused(t`A sweep has 2 to ${mostRuns} runs, and these values make ${count}.`);
  if (halving) checkHalving(halving.eta, count);
  return combinations(varied).map((settings) => ({ settings, config: configWith(config, settings) }));
}

function checkVaried(setting: string, values: readonly SettingValue[], { config, halving }: SweepRequest): void {
  const schema = settingSchema(setting.split('.'));
  if (schema?.properties) throw refused(t`${setting} is a section of run.json; only single settings can vary.`);
  if (values.length === 0) throw refused(t`${setting} has no values to try.`);
  if (new Set(values.map((value) => JSON.stringify(value))).size < values.length)
    throw refused(t`${setting} has a value that is listed twice.`);
  if (['model', 'data.path', 'data.eval_path', 'lora.init_from'].includes(setting))
    throw refused(t`${setting} cannot vary: the runs of a sweep share model, data and initial adapter.`);
  if (setting.startsWith('data.') && schema && !variableDataSettings.includes(setting))
    throw refused(
      t`${setting} cannot vary, because the held-out data would not be the same: of the data settings, only data.shuffle and data.packing can.`,
    );
  if (setting === 'train.seed' && config.data.eval_path === null)
    throw refused(t`train.seed also decides what is held out, so it can vary only where data.eval_path is set.`);
  if (config.lora.init_from !== null && shapesAdapter.includes(setting))
    throw refused(t`${setting} cannot vary, because lora.init_from is set and that adapter is trained further as it is.`);
  if (halving) checkVariedWithHalving(setting, config);
}

const shapesAdapter = ['lora.r', 'lora.alpha', 'lora.use_rslora', 'lora.target_modules', 'lora.layers'];

function checkVariedWithHalving(setting: string, { train }: RunConfig): void {
  if (setting === 'train.seed')
    throw refused(
      t`Halving cannot choose between values of train.seed, which say nothing about another run: train all runs to their end.`,
    );
  const decidesSteps =
    train.max_steps === null
      ? ['train.num_epochs', 'train.max_tokens', 'train.batch_size', 'train.gradient_accumulation_steps', 'data.packing']
      : [];
  if (setting === 'train.max_steps' || decidesSteps.includes(setting))
    throw refused(
      t`Halving compares runs with equally many steps to do, and ${setting} changes their number: set train.max_steps for all, or train all runs to their end.`,
    );
}

function checkHalving(eta: number, count: number): void {
  if (!Number.isInteger(eta) || eta < 2 || eta > 10)
    throw refused(t`Halving lets one in 2 to 10 runs go on, so its factor cannot be ${eta}.`);
  if (count < eta) throw refused(t`Letting one in ${eta} runs go on needs at least ${eta} runs, and these values make ${count}.`);
}

function combinations(varied: readonly (readonly [string, readonly SettingValue[]])[]): SettingValues[] {
  return varied.reduce<SettingValues[]>(
    (all, [setting, values]) => all.flatMap((settings) => values.map((value) => ({ ...settings, [setting]: value }))),
    [{}],
  );
}

function configWith(config: RunConfig, settings: SettingValues): RunConfig {
  const overrides = Object.entries(settings).map(([setting, value]) => `${setting}=${JSON.stringify(value)}`);
  const result = validateRunConfig(applyOverrides(config, overrides));
  if (result.ok) return result.config;
  throw refused(result.problems.map(({ message }) => message).join('\n'));
}

function refused(message: string): UserError {
  return new UserError('config-invalid', message);
}
