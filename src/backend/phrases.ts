import { backendStrings, type BackendPhrase } from '../protocol/backendStrings.js';

/** A phrase in the user's language, with {0}, {1} … filled in. */
export type Say = (phrase: BackendPhrase, ...values: readonly (string | number)[]) => string;

export function sayIn(translations: Readonly<Record<string, string>>): Say {
  return (phrase, ...values) =>
    (translations[phrase] ?? backendStrings[phrase]).replaceAll(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)] ?? ''));
}
