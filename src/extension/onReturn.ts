import * as vscode from 'vscode';

/** Calls the listener when the user comes back to this window from another one or another program. */
export function onReturn(listener: () => void): vscode.Disposable {
  let wasFocused = vscode.window.state.focused;
  // The event is also fired when somebody who never left types again after a pause.
  return vscode.window.onDidChangeWindowState(({ focused }) => {
    const hasReturned = focused && !wasFocused;
    wasFocused = focused;
    if (hasReturned) listener();
  });
}
