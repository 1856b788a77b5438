import * as vscode from 'vscode';
import type { BackendSettings } from '../protocol/backend.js';
import type { HubToken } from './hubToken.js';
import { setting } from './settings.js';

/** Where runs and models are, according to the settings and the open folders, what to compute on, and how to reach the hub. */
export async function backendSettings(context: vscode.ExtensionContext, hubToken: HubToken): Promise<BackendSettings> {
  const workspace = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => ({
    path: uri.fsPath,
    source: 'workspace' as const,
  }));
  const added = setting('modelFolders').map((path) => ({ path, source: 'added' as const }));
  return {
    runsFolders: runsFolders(context).map(({ fsPath }) => fsPath),
    // Folders that the user added keep that source even if they are in the workspace.
    modelFolders: [...added, ...workspace],
    device: setting('engine.device'),
    threads: setting('engine.threads'),
    hubToken: await hubToken.get(),
    proxy: vscode.workspace.getConfiguration('http').get<string>('proxy') || null,
  };
}

/** The folders for runs; new runs go into the first one. */
export function runsFolders({ globalStorageUri }: Pick<vscode.ExtensionContext, 'globalStorageUri'>): vscode.Uri[] {
  const folder = setting('runsFolder');
  if (isAbsolute(folder)) return [vscode.Uri.file(folder)];
  const workspace = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => vscode.Uri.joinPath(uri, folder));
  return workspace.length > 0 ? workspace : [vscode.Uri.joinPath(globalStorageUri, 'runs')];
}

/** Location of the config that is started in the panel. */
export function draftUri({ storageUri, globalStorageUri }: vscode.ExtensionContext): vscode.Uri {
  return vscode.Uri.joinPath(storageUri ?? globalStorageUri, 'fine-tune', 'run.json');
}

function isAbsolute(path: string): boolean {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(path);
}

/** Whether there are runs that the user may want to see at once. */
export async function hasRuns(context: vscode.ExtensionContext): Promise<boolean> {
  for (const folder of runsFolders(context)) {
    const entries = await vscode.workspace.fs.readDirectory(folder).then(
      (found) => found,
      () => [],
    );
    if (entries.some(([name, type]) => type === vscode.FileType.Directory && !name.startsWith('.'))) return true;
  }
  return false;
}
