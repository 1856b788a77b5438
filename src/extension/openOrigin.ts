import * as vscode from 'vscode';

/**
 * Shows where an example is from, beside the view. `origin` is `path:line`, with lines counted from 1, or the path alone for a file
 * that is a single example.
 */
export async function openOrigin(origin: string): Promise<void> {
  const [, path = origin, line = '1'] = /^(.*?)(?::(\d+))?$/.exec(origin) ?? [];
  const position = new vscode.Position(Number(line) - 1, 0);
  await vscode.window.showTextDocument(vscode.Uri.file(path), {
    viewColumn: vscode.ViewColumn.Beside,
    selection: new vscode.Range(position, position),
  });
}
