import * as vscode from 'vscode';

type Show = (text: string, button: string) => Thenable<string | undefined>;

/** A message with the button that leads on, to a command. */
export async function offer(
  show: Show,
  text: string,
  button: string,
  command: string,
  ...given: readonly unknown[]
): Promise<void> {
  if ((await show(text, button)) === button) await vscode.commands.executeCommand(command, ...given);
}
