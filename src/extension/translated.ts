import * as vscode from 'vscode';

/** Phrases of the webviews in the language of VS Code; their translations lie with those of the extension. */
export function translated(phrases: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(phrases).map(([key, english]) => [key, vscode.l10n.t(english)]));
}
