import * as vscode from 'vscode';

/** Remote machines and browsers have no trash. */
const hasTrash = () => vscode.env.remoteName === undefined && vscode.env.uiKind === vscode.UIKind.Desktop;

/** Asks for confirmation and removes the folders, into the trash if there is one. Returns whether the user confirmed. */
export async function removeFolders(
  folders: readonly vscode.Uri[],
  question: string,
  names: readonly string[] = [],
): Promise<boolean> {
  const inTrash = hasTrash();
  const after = inTrash
    ? vscode.l10n.t('What is deleted can be restored from the trash.')
    : vscode.l10n.t('What is deleted is removed from the disk.');
  const detail = [...(names.length > 0 ? names : folders.map(({ fsPath }) => fsPath)), '', after].join('\n');
  if (!(await confirmed(question, detail))) return false;
  for (const folder of folders) await remove(folder, inTrash);
  return true;
}

async function remove(folder: vscode.Uri, useTrash: boolean): Promise<void> {
  try {
    await vscode.workspace.fs.delete(folder, { recursive: true, useTrash });
  } catch (error) {
    // A network drive has no trash either.
    const question = vscode.l10n.t('{0} cannot be moved to the trash. Delete it permanently?', folder.fsPath);
    if (!useTrash) throw error;
    if (await confirmed(question, String(error))) await remove(folder, false);
  }
}

async function confirmed(question: string, detail: string): Promise<boolean> {
  const yes = vscode.l10n.t('Delete');
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) === yes;
}
