import * as vscode from 'vscode';
import type { BrowsableSetting } from '../protocol/views/fineTune.js';
import { chooseOne } from './ask.js';

/** Lets the user choose a file or folder for a setting in VS Code's own dialog. */
export async function browse(setting: BrowsableSetting): Promise<vscode.Uri | undefined> {
  const kind = setting === 'lora.init_from' ? 'folder' : await chooseKind(setting);
  return kind && chooseUri(kind);
}

export async function chooseUri(
  kind: 'file' | 'folder',
  options: vscode.OpenDialogOptions = {},
): Promise<vscode.Uri | undefined> {
  const [chosen] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: kind === 'file',
      canSelectFolders: kind === 'folder',
      openLabel: vscode.l10n.t('Choose'),
      ...options,
    })) ?? [];
  return chosen;
}

/** Asked beforehand, because the dialogs on Windows and Linux offer files or folders, never both. */
async function chooseKind(setting: 'model' | 'data.path' | 'data.eval_path'): Promise<'file' | 'folder' | undefined> {
  const [file, folder] =
    setting === 'model'
      ? [vscode.l10n.t('GGUF file…'), vscode.l10n.t('Hugging Face folder…')]
      : [vscode.l10n.t('Data file…'), vscode.l10n.t('Folder…')];
  const choices = [
    { label: `$(file) ${file}`, value: 'file' as const },
    { label: `$(folder) ${folder}`, value: 'folder' as const },
  ];
  return chooseOne(choices, vscode.l10n.t('A file or a folder?'));
}
