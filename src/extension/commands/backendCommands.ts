import * as vscode from 'vscode';
import type { Workbench } from '../workbench.js';

/** The findings as a document, so that they can be read, kept and sent. */
export async function doctor({ backend }: Workbench): Promise<void> {
  const live = await backend.ready();
  const title = vscode.l10n.t('LoRA Workbench is looking at this machine…');
  const { report } = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    live.request('loraWorkbench/doctor', null),
  );
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: 'plaintext', content: report }));
}

export async function showBackendLog({ backend }: Workbench): Promise<void> {
  backend.showLog();
}

export async function restartBackend({ backend }: Workbench): Promise<void> {
  await backend.restart();
}
