/** @file Starts the backend without a request from the user, and informs it when its settings change. */
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
      if (change.affectsConfiguration(prefix) || change.affectsConfiguration('http.proxy')) void backend.settingsChanged();
    }),
    context.secrets.onDidChange(() => void backend.settingsChanged()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => void backend.settingsChanged()),
    vscode.workspace.onDidOpenTextDocument((document) => void (needsBackend(document) && backend.wake())),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void backend.wake()),
  ];
}

/** A live run belongs in the status bar, and active ghost text and help must appear, without the user asking again. */
async function startIfWanted(
  context: vscode.ExtensionContext,
  backend: BackendClient,
  completion: InlineCompletion,
): Promise<void> {
  if (!vscode.workspace.isTrusted) return;
  if (completion.isOn || vscode.workspace.textDocuments.some(needsBackend) || (await hasRuns(context))) await backend.wake();
}

/** Whether the backend provides help for a file as soon as it is opened. */
function needsBackend(document: vscode.TextDocument): boolean {
  return vscode.languages.match({ scheme: 'file', pattern: '**/{*.jsonl,*.ndjson,run.json,*.run.json}' }, document) > 0;
}
