import { readFileSync } from 'node:fs';
import { useTranslations } from '../l10n/text.js';

/** Names the bundle of the user's language. The extension sets this variable, and all child processes inherit it. */
export const translationsVariable = 'LORA_WORKBENCH_TRANSLATIONS';

/** Must be called before a program outputs anything. If the bundle is missing or broken, the program uses English. */
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
