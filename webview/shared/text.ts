/** @file The texts of the view: the host's strings, English if one is missing, and numbers formatted for the reader's locale. */
import { bytesInWords } from '../../src/l10n/bytesInWords.js';
import { ordinal } from '../../src/l10n/ordinal.js';
import { settingSchema } from '../../src/protocol/runConfigSchema.js';
import { webviewStrings, type PhraseKey } from '../../src/protocol/webviewStrings.js';

let strings: Readonly<Record<string, string>> = {};
let locale = 'en';

export function useLanguage(translated: Readonly<Record<string, string>>, newLocale: string): void {
  strings = translated;
  locale = Intl.NumberFormat.supportedLocalesOf(newLocale)[0] ?? 'en';
}

function lookUp(key: string): string {
  return (Object.hasOwn(strings, key) ? strings[key] : webviewStrings()[key]) ?? key;
}

/** The phrase with {0}, {1} … filled in. */
export function t(key: PhraseKey, ...values: readonly (string | number)[]): string {
  return lookUp(key).replace(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)] ?? ''));
}

/** The phrases that have a singular form. */
type CountedKey = { [Key in PhraseKey]: `${Key}.one` extends PhraseKey ? Key : never }[PhraseKey];

/** "1 example", "2 examples". */
export function counted(key: CountedKey, count: number): string {
  return t(count === 1 ? `${key}.one` : key, formatNumber(count));
}

/** "2nd". */
export function ordinalInWords(place: number): string {
  return ordinal(place, locale);
}

export function settingTitle(path: readonly string[]): string {
  return lookUp(`setting.${path.join('.')}`);
}

/** The title within a sentence: in English, it begins with a small letter there, unless it is a name. */
export function settingName(setting: string): string {
  const path = setting.split('.');
  const title = settingTitle(path);
  return title === webviewStrings()[`setting.${setting}`] ? (settingSchema(path)?.title ?? title) : title;
}

export function settingHelp(path: readonly string[]): string {
  return lookUp(`setting.${path.join('.')}.help`);
}

export function presetTitle(id: string): string {
  return lookUp(`preset.${id}`);
}

export function presetHelp(id: string): string {
  return lookUp(`preset.${id}.help`);
}

export function formatNumber(value: number, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(locale, options).format(value);
}

/** Losses, rates, norms: four significant digits, whole numbers from 1000 on, powers of ten for very small or large values. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return Number(value.toPrecision(3)).toExponential().replace('e+', 'e');
  return formatNumber(value, size >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 });
}

/** The value of a setting, formatted. */
export function formatSetting(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return formatValue(value);
  return Array.isArray(value) ? value.join(', ') : String(value);
}

export function formatCompact(value: number): string {
  return formatNumber(value, { notation: 'compact', maximumSignificantDigits: 3 });
}

export function formatPercent(share: number): string {
  return formatNumber(share, { style: 'percent', maximumSignificantDigits: 2 });
}

export function formatBytes(bytes: number): string {
  return bytesInWords(bytes, locale);
}

/** "45 s", "12 min", "3 h 05 min". */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return t('duration.seconds', Math.max(0, Math.round(seconds)));
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return t('duration.minutes', minutes);
  return t('duration.hours', formatNumber(Math.floor(minutes / 60)), String(minutes % 60).padStart(2, '0'));
}

export function formatTime(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? iso
    : new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(time);
}
