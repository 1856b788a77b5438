import * as vscode from 'vscode';

/** Translates the webviews' phrases into VS Code's language; their translations are stored with those of the extension. */
export function translated(phrases: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(phrases).map(([key, english]) => [key, vscode.l10n.t(english)]));
}
