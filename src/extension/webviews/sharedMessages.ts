import * as vscode from 'vscode';
import type { FromWebview, RunCommand } from '../../protocol/webview.js';
import { commandId, type CommandName } from '../contributions.js';
import type { RunFeed } from './runFeed.js';

const commandOf: Record<RunCommand, CommandName> = {
  pause: 'pauseRun',
  resume: 'resumeRun',
  stop: 'stopRun',
  open: 'openRun',
  reveal: 'revealRunFolder',
  showLog: 'showRunLog',
  playground: 'runInference',
  completion: 'useAdapterForCompletion',
};

/** What several views ask for; true when the message was one of those. */
export async function receiveShared(message: FromWebview, feed?: RunFeed): Promise<boolean> {
  switch (message.type) {
    case 'copy':
      await vscode.env.clipboard.writeText(message.text);
      return true;
    case 'follow':
      await feed?.follow(message.runIds);
      return true;
    case 'runCommand':
      await runCommand(message.runId, message.command);
      return true;
    case 'export':
      await saveExport(message);
      return true;
    case 'fineTune':
      await vscode.commands.executeCommand(commandId('fineTune'));
      return true;
    case 'manageTrust':
      await vscode.commands.executeCommand('workbench.trust.manage');
      return true;
    default:
      return false;
  }
}

async function runCommand(runId: string, command: RunCommand): Promise<void> {
  const ofAdapter = command === 'playground' || command === 'completion';
  const argument = ofAdapter ? { path: vscode.Uri.joinPath(vscode.Uri.file(runId), 'adapter').fsPath } : { runId };
  await vscode.commands.executeCommand(commandId(commandOf[command]), argument);
}

async function saveExport({ format, name, content }: Extract<FromWebview, { type: 'export' }>): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const filters = format === 'png' ? { PNG: ['png'] } : { CSV: ['csv'] };
  // A name from a page is no path.
  const fileName = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-');
  const target = await vscode.window.showSaveDialog({
    filters,
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, fileName) } : {}),
  });
  if (target) await vscode.workspace.fs.writeFile(target, Buffer.from(content, format === 'png' ? 'base64' : 'utf8'));
}
