import * as vscode from 'vscode';

export interface Choice<T> extends vscode.QuickPickItem {
  readonly value: T;
}

/**
 * Without this, a question asked over a webview, from its page or from the palette, would close at once if the webview takes the
 * focus back late.
 */
const keepOpen = { ignoreFocusOut: true };

/** Returns what the user chooses, or undefined if the user closes the question. It appears at once, also before its choices. */
export async function chooseOne<T>(
  choices: readonly Choice<T>[] | Promise<readonly Choice<T>[]>,
  placeHolder: string,
): Promise<T | undefined> {
  const choice = await vscode.window.showQuickPick(choices, { placeHolder, matchOnDescription: true, ...keepOpen });
  return choice?.value;
}

/** Returns the items that the user ticks, or none if the user closes the question. */
export async function chooseSome<T>(choices: readonly Choice<T>[], placeHolder: string): Promise<T[]> {
  const chosen = await vscode.window.showQuickPick(choices, { placeHolder, canPickMany: true, ...keepOpen });
  return (chosen ?? []).map(({ value }) => value);
}
