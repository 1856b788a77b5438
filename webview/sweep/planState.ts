import { boolean, list, object, string, type Guard } from '../../src/protocol/guard.js';
import { settingSchema } from '../../src/protocol/runConfigSchema.js';
import type { SettingValue } from '../../src/protocol/sweep.js';
import { parseValues, printValues, suggestedValues, variableSettings } from '../../src/protocol/sweepSettings.js';
import type { SweepPlan } from '../../src/protocol/views/sweep.js';
import { settingProblem } from '../shared/settingProblem.js';
import { valueAt } from '../shared/settings.js';
import { t } from '../shared/text.js';

/** A setting to vary, with its values as they are typed. */
export interface Varied {
  readonly setting: string;
  readonly values: string;
}

/** The form as it is filled in; outlives the webview. */
export interface PlanState {
  readonly varied: readonly Varied[];
  readonly halving: boolean;
  readonly name: string;
}

export const isPlanState: Guard<PlanState> = object({
  varied: list(object<Varied>({ setting: string, values: string })),
  halving: boolean,
  name: string,
});

/** Only the rank at first: the question that everyone has. */
export function planStateOf(plan: SweepPlan): PlanState {
  return { varied: [variedWith('lora.r', plan)], halving: false, name: '' };
}

export function variedWith(setting: string, { check }: SweepPlan): Varied {
  const present = check?.ok ? valueAt(check.config, setting.split('.')) : settingSchema(setting.split('.'))?.default;
  return { setting, values: printValues(setting, suggestedValues(setting, present)) };
}

/** The next one to offer; undefined if all are varied. */
export function nextSetting(varied: readonly Varied[]): string | undefined {
  return variableSettings().find((setting) => varied.every((each) => each.setting !== setting));
}

export interface Values {
  readonly values: readonly SettingValue[];
  /** Why they cannot be used; null if they can. */
  readonly problem: string | null;
}

export function valuesOf({ setting, values: text }: Varied): Values {
  const values = parseValues(setting, text);
  if (values.length === 0) return { values, problem: t('sweep.plan.noValues') };
  const schema = settingSchema(setting.split('.'));
  const problems = values.map((value) => (schema ? settingProblem(schema, value) : null));
  const wrong = problems.findIndex((problem) => problem !== null);
  if (wrong >= 0)
    return { values, problem: t('sweep.plan.wrongValue', printValues(setting, [values[wrong]!]), problems[wrong]!) };
  const isTwice = new Set(values.map((value) => JSON.stringify(value))).size < values.length;
  return { values, problem: isTwice ? t('problem.twice') : null };
}

/** The values of all varied settings; undefined if any of them cannot be used. */
export function parametersOf({ varied }: PlanState): Readonly<Record<string, readonly SettingValue[]>> | undefined {
  const parsed = varied.map((each) => [each.setting, valuesOf(each)] as const);
  if (parsed.some(([, { problem }]) => problem !== null)) return undefined;
  return Object.fromEntries(parsed.map(([setting, { values }]) => [setting, values]));
}

export function isListSetting(setting: string): boolean {
  return [settingSchema(setting.split('.'))?.type ?? []].flat().includes('array');
}
