import * as vscode from 'vscode';

const fileName = 'lora-workbench-qa.jsonl';

/** The data set that comes with the extension, at a place that stays when the extension is updated. */
export async function sampleData(extensionUri: vscode.Uri, storage: vscode.Uri): Promise<vscode.Uri> {
  const target = vscode.Uri.joinPath(storage, 'sample-data', fileName);
  await vscode.workspace.fs.copy(vscode.Uri.joinPath(extensionUri, 'examples', fileName), target, { overwrite: true });
  return target;
}
