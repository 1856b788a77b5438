import * as vscode from 'vscode';
import { presetEdits, presets } from '../../protocol/presets.js';
import type { Workbench } from '../workbench.js';
import { namedBy } from './namedBy.js';

/** When called from the models tree, uses that model. */
export async function fineTune({ fineTune: panels }: Workbench, argument: unknown): Promise<void> {
  const model = namedBy(argument, 'path');
  await panels.openDraft(model === undefined ? [] : [{ path: ['model'], value: model }]);
}

/** Shows what would be learned from, and how long it would take, before anything starts. */
export async function fineTuneWorkspace({ fineTune: panels }: Workbench): Promise<void> {
  const folder = await chooseWorkspaceFolder();
  if (!folder) return;
  const forCode = presets.find(({ id }) => id === 'code-completion')!;
  await panels.openReport([...presetEdits(forCode), { path: ['data', 'path'], value: folder.uri.fsPath }]);
}

async function chooseWorkspaceFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length === 0) throw new Error(vscode.l10n.t('Open a folder first: its source files are the data.'));
  return folders.length === 1 ? folders[0] : vscode.window.showWorkspaceFolderPick();
}

/** `argument` is a Uri from the explorer, or the text of one from the backend's code lens. */
export async function fineTuneFile({ fineTune: panels }: Workbench, argument: unknown): Promise<void> {
  const uri = argument instanceof vscode.Uri ? argument : typeof argument === 'string' ? vscode.Uri.parse(argument) : undefined;
  if (!uri) return;
  await panels.openDraft([
    { path: ['data', 'path'], value: uri.fsPath },
    { path: ['data', 'format'], value: 'auto' },
  ]);
}

/** Opens a run.json as a form. */
export async function openInPanel({ fineTune: panels }: Workbench, argument: unknown): Promise<void> {
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  if (uri) await panels.openDocument(uri);
}
