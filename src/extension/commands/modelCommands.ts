import * as vscode from 'vscode';
import { setting, updateModelFolders } from '../settings.js';
import type { Workbench } from '../workbench.js';

export async function importModel({ catalog }: Workbench): Promise<void> {
  const folder = { label: `$(folder) ${vscode.l10n.t('Hugging Face folder…')}`, detail: vscode.l10n.t('config.json and safetensors; a folder of such folders works too') };
  const file = { label: `$(file-binary) ${vscode.l10n.t('GGUF file…')}`, detail: vscode.l10n.t('model, configuration and tokenizer in one file') };
  const choice = await vscode.window.showQuickPick([folder, file], { placeHolder: vscode.l10n.t('What does the model look like?') });
  if (!choice) return;
  const [uri] =
    (await vscode.window.showOpenDialog({
      canSelectFolders: choice === folder,
      canSelectFiles: choice === file,
      openLabel: vscode.l10n.t('Import'),
      ...(choice === file ? { filters: { GGUF: ['gguf'] } } : {}),
    })) ?? [];
  if (!uri) return;
  await updateModelFolders([...new Set([...setting('modelFolders'), uri.fsPath])]);
  await catalog.refresh();
  const found = catalog.models.filter(({ path }) => path.startsWith(uri.fsPath)).length;
  if (found > 0) void vscode.window.showInformationMessage(vscode.l10n.t('Models found: {0}', found));
  else void vscode.window.showWarningMessage(vscode.l10n.t('No model of the LLaMA family was found in {0}.', uri.fsPath));
}

/** Takes the folder that the model was found in off the list; nothing is removed from the disk. */
export async function removeModelFolder(_: Workbench, argument: unknown): Promise<void> {
  if (typeof argument !== 'object' || argument === null || !('path' in argument)) return;
  const path = String(argument.path);
  await updateModelFolders(setting('modelFolders').filter((folder) => !path.startsWith(folder)));
}

export async function refreshModels({ catalog }: Workbench): Promise<void> {
  await catalog.refresh();
}
