import * as vscode from 'vscode';
import { commandId } from '../contributions.js';

/** A message with the button that leads on. */
export async function offerFineTune(text: string): Promise<void> {
  const fineTune = vscode.l10n.t('Fine-Tune…');
  const choice = await vscode.window.showInformationMessage(text, fineTune);
  if (choice === fineTune) await vscode.commands.executeCommand(commandId('fineTune'));
}

export async function offerTrust(text: string): Promise<void> {
  const manage = vscode.l10n.t('Manage Workspace Trust');
  const choice = await vscode.window.showWarningMessage(text, manage);
  if (choice === manage) await vscode.commands.executeCommand('workbench.trust.manage');
}
