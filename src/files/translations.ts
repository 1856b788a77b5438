import { readFileSync } from 'node:fs';
import { useTranslations } from '../l10n/text.js';

/** Names the bundle of the reader's language. The extension sets it; every process that a process starts inherits it. */
export const translationsVariable = 'LORA_WORKBENCH_TRANSLATIONS';

/** To be called before a program says anything. No bundle, or a broken one: the program speaks English. */
export function loadTranslations(): void {
  const path = process.env[translationsVariable];
  if (path) useTranslations(textsIn(path));
}

function textsIn(path: string): Record<string, string> {
  try {
    const texts: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Object.fromEntries(
      Object.entries(texts ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  } catch {
    return {};
  }
}
