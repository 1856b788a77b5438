import * as vscode from 'vscode';

/** Shows a file or folder where there is something to show it: the explorer, the system's file manager, or a terminal. */
export async function revealFolder(uri: vscode.Uri, name: string): Promise<void> {
  // The explorer shows only what is in the workspace; a remote machine has a terminal but no file manager.
  if (vscode.workspace.getWorkspaceFolder(uri)) await vscode.commands.executeCommand('revealInExplorer', uri);
  else if (vscode.env.remoteName === undefined) await vscode.commands.executeCommand('revealFileInOS', uri);
  else vscode.window.createTerminal({ name, cwd: await folderOf(uri) }).show();
}

async function folderOf(uri: vscode.Uri): Promise<vscode.Uri> {
  const { type } = await vscode.workspace.fs.stat(uri);
  return type & vscode.FileType.Directory ? uri : vscode.Uri.joinPath(uri, '..');
}
