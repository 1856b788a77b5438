/** @file When the backend is started without anybody asking, and when it is told that its settings changed. */
import * as vscode from 'vscode';
import type { BackendClient } from './backendClient.js';
import { prefix } from './contributions.js';
import type { InlineCompletion } from './inlineCompletion.js';
import { hasRuns } from './folders.js';

export function startBackendWhenNeeded(
  context: vscode.ExtensionContext,
  backend: BackendClient,
  completion: InlineCompletion,
): vscode.Disposable[] {
  void startIfWanted(context, backend, completion);
  return [
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(prefix)) void backend.settingsChanged();
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => void backend.settingsChanged()),
    vscode.workspace.onDidOpenTextDocument((document) => void (needsBackend(document) && backend.wake())),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void backend.wake()),
  ];
}

/** A run that goes on belongs into the status bar, and ghost text and help that is on must come, without anybody asking again. */
async function startIfWanted(
  context: vscode.ExtensionContext,
  backend: BackendClient,
  completion: InlineCompletion,
): Promise<void> {
  if (!vscode.workspace.isTrusted) return;
  if (completion.isOn || vscode.workspace.textDocuments.some(needsBackend) || (await hasRuns(context))) await backend.wake();
}

/** Files that the backend has something to say about as soon as they are seen. */
function needsBackend(document: vscode.TextDocument): boolean {
  return vscode.languages.match({ scheme: 'file', pattern: '**/{*.jsonl,*.ndjson,run.json,*.run.json}' }, document) > 0;
}
