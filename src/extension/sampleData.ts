import * as vscode from 'vscode';

const fileName = 'settings.jsonl';

/** Copies the bundled data set to a place that survives updates of the extension. */
export async function sampleData(extensionUri: vscode.Uri, storage: vscode.Uri): Promise<vscode.Uri> {
  const target = vscode.Uri.joinPath(storage, 'sample-data', fileName);
  await vscode.workspace.fs.copy(vscode.Uri.joinPath(extensionUri, 'examples', fileName), target, { overwrite: true });
  return target;
}
