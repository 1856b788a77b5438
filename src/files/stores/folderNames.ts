import { readdirSync } from 'node:fs';

/** The names in a folder; none if it is missing or not readable. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
