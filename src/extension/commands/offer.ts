import * as vscode from 'vscode';

type Show = (text: string, button: string) => Thenable<string | undefined>;

/** Shows a message with a button that runs a command as the next step. */
export async function offer(
  show: Show,
  text: string,
  button: string,
  command: string,
  ...given: readonly unknown[]
): Promise<void> {
  if ((await show(text, button)) === button) await vscode.commands.executeCommand(command, ...given);
}
