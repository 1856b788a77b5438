/** @file What the runs of a sweep are called: "r=8, learning_rate=0.0003". */
import type { SettingValue, SettingValues } from '../protocol/sweep.js';

/** The last part of a setting's path, or all of it if another ends alike. */
export function shortSettings(settings: readonly string[]): readonly string[] {
  const last = (setting: string) => setting.slice(setting.lastIndexOf('.') + 1);
  return settings.map((setting) =>
    settings.some((other) => other !== setting && last(other) === last(setting)) ? setting : last(setting),
  );
}

/** For people, and, where it is fit for it, for the folder. */
export function runLabel(settings: SettingValues): string {
  const names = shortSettings(Object.keys(settings));
  return Object.values(settings)
    .map((value, index) => `${names[index]}=${valueInWords(value)}`)
    .join(', ');
}

/** JSON's own words, without the brackets and quotes that lists of names do not need. */
export function valueInWords(value: SettingValue): string {
  return Array.isArray(value) ? value.join('+') : String(value);
}

const longestName = 100;

/** Folders with these names exist on no system yet, nor differ only in what a system may ignore. */
export function folderNames(labels: readonly string[]): string[] {
  const taken = new Set<string>();
  return labels.map((label, index) => {
    const name = folderName(label.replaceAll(', ', ','));
    const isFree = name !== '' && name.length <= longestName && !taken.has(name.toLowerCase());
    const unique = isFree ? name : `run-${index + 1}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}

/** A name without what some file system refuses; empty if nothing is left. */
export function folderName(name: string): string {
  // eslint-disable-next-line no-control-regex
  return name.replace(/[<>:"/\\|?*\u0000-\u001f]+/g, '-').replace(/^[-.\s]+|[-.\s]+$/g, '');
}
