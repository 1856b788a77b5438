import type { LeftOut } from '../../core/data/fileRules.js';
import { Unusable, type DataFile } from '../../core/data/source.js';
import { findInContent, largestSourceFile } from '../../core/data/sourceRules.js';
import { findSecret } from './secrets.js';

/** The text of a source file that a person has written; otherwise why it is left out, or that it could not be read. */
export type CheckedSource = { readonly text: string } | { readonly leftOut: LeftOut } | 'unread';

export async function checkSource(file: DataFile, scanSecrets: boolean): Promise<CheckedSource> {
  const { path } = file;
  if (file.size > largestSourceFile) return { leftOut: { path, kind: 'large' } };
  const text = textOf(file);
  if (text === undefined) return 'unread';
  const finding = findInContent(text) ?? (scanSecrets ? await credentialIn(path, text) : undefined);
  return finding ? { leftOut: { path, ...finding } } : { text };
}

/** Undefined if it cannot be read. */
export function textOf(file: DataFile): string | undefined {
  try {
    return file.text();
  } catch (error) {
    if (error instanceof Unusable) return undefined;
    throw error;
  }
}

async function credentialIn(path: string, text: string): Promise<Omit<LeftOut, 'path'> | undefined> {
  const found = await findSecret(path, text);
  return found && { kind: 'credential', line: found.line, detail: found.rule };
}
