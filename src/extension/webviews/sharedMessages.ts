import * as vscode from 'vscode';
import type { FromAnyView, RunCommand } from '../../protocol/views/view.js';
import { commandId, type CommandName } from '../contributions.js';

const commandOf: Record<RunCommand, CommandName> = {
  pause: 'pauseRun',
  resume: 'resumeRun',
  stop: 'stopRun',
  startNow: 'startRunNow',
  dequeue: 'removeFromQueue',
  open: 'openRun',
  reveal: 'revealRunFolder',
  showLog: 'showRunLog',
  playground: 'runInference',
  completion: 'useAdapterForCompletion',
};

/** Handles the messages that any view may send. */
export async function receiveShared(message: Exclude<FromAnyView, { type: 'ready' | 'malformed' }>): Promise<void> {
  switch (message.type) {
    case 'copy':
      return vscode.env.clipboard.writeText(message.text);
    case 'runCommand':
      return vscode.commands.executeCommand(commandId(commandOf[message.command]), { runId: message.runId });
    case 'export':
      return saveExport(message);
    case 'fineTune':
      return vscode.commands.executeCommand(commandId('fineTune'));
    case 'manageTrust':
      return vscode.commands.executeCommand('workbench.trust.manage');
  }
}

async function saveExport({ format, name, content }: Extract<FromAnyView, { type: 'export' }>): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const filters = format === 'png' ? { PNG: ['png'] } : { CSV: ['csv'] };
  // A name from a page must not act as a path.
  const fileName = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-');
  const target = await vscode.window.showSaveDialog({
    filters,
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, fileName) } : {}),
  });
  if (target) await vscode.workspace.fs.writeFile(target, Buffer.from(content, format === 'png' ? 'base64' : 'utf8'));
}
