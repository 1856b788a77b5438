/**
 * @file The texts shown to users, in their language. The key of a text is the English itself, with placeholders {0}, {1} …, as in
 * VS Code's bundles (l10n/bundle.l10n.<language>.json).
 */

let translations: Readonly<Record<string, string>> = {};

/** From now on, texts are taken from the table; those it lacks stay in English. */
export function useTranslations(table: Readonly<Record<string, string>>): void {
  translations = table;
}

/** t`${path} does not exist.` looks up "{0} does not exist." Evaluate it only when shown: the language is not known before. */
export function t(english: TemplateStringsArray, ...values: readonly (string | number | bigint)[]): string {
  const translated = translationOf(english.reduce((key, part, index) => `${key}{${index - 1}}${part}`));
  return translated !== undefined && hasBlanks(translated, values.length)
    ? translated.replaceAll(blank, (_, index: string) => String(values[Number(index)]))
    : english.reduce((text, part, index) => `${text}${values[index - 1]}${part}`);
}

/** The same for a text without placeholders that comes from data, such as the description of a setting. */
export function translate(english: string): string {
  return translationOf(english) ?? english;
}

function translationOf(key: string): string | undefined {
  return Object.hasOwn(translations, key) ? translations[key] : undefined;
}

const blank = /\{(\d+)\}/g;

/** Whether a translation has exactly the expected placeholders, in any order. */
function hasBlanks(translated: string, count: number): boolean {
  const found = new Set([...translated.matchAll(blank)].map((match) => Number(match[1])));
  return found.size === count && [...found].every((index) => index < count);
}
