/** @file A sweep's runs in words. */
import type { LossDifference, SettingValue, SettingValues, SweepRow } from '../../src/protocol/sweep.js';
import { printNumber } from '../../src/protocol/printNumber.js';
import { formatNumber, settingName, t } from '../shared/text.js';

/** Of lists, the names without what they have in common: "q+v" for q_proj and v_proj. */
export function valueInWords(value: SettingValue): string {
  if (Array.isArray(value)) return value.map((item) => String(item).replace(/_proj$/, '')).join('+');
  return typeof value === 'number' ? printNumber(value) : value === null ? '–' : String(value);
}

/** "rank 8, learning rate 3e-4" */
export function settingsInWords(settings: SettingValues): string {
  const words = Object.entries(settings).map(([setting, value]) => `${settingName(setting)} ${valueInWords(value)}`);
  return words.join(', ');
}

export function runInWords({ settings, name }: SweepRow): string {
  return settingsInWords(settings) || name;
}

/** Losses of a sweep differ little, so they have four places after the point. */
export function formatLoss(loss: number): string {
  return formatNumber(loss, { minimumFractionDigits: 4, maximumFractionDigits: 4 });
}

/** "+0.0012 ± 0.0030" */
export function differenceInWords({ difference, halfInterval }: LossDifference): string {
  const digits = { minimumFractionDigits: 4, maximumFractionDigits: 4 } as const;
  const text = formatNumber(difference, { ...digits, signDisplay: 'exceptZero' });
  return halfInterval === null ? text : `${text} ± ${formatNumber(halfInterval, digits)}`;
}

const namedShares = [2, 3, 4, 8, 16, 32] as const;

/** "an eighth", or "37 %" if there is no word for it. */
export function shareInWords(share: number): string {
  const named = namedShares.find((parts) => Math.abs(share * parts - 1) < 0.02);
  if (named !== undefined) return t(`sweep.share.${named}`);
  return formatNumber(share, { style: 'percent', maximumSignificantDigits: 2 });
}
