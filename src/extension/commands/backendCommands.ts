import * as vscode from 'vscode';
import type { Workbench } from '../workbench.js';

/** Shows the findings as a document, so that they can be read, copied and sent. */
export async function doctor({ backend, reports }: Workbench): Promise<void> {
  const live = await backend.ready();
  const title = vscode.l10n.t('LoRA Workbench is examining this machine…');
  const { report } = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    live.request('loraWorkbench/doctor', null),
  );
  await reports.show(vscode.l10n.t('LoRA Workbench Doctor'), report);
}

export async function showBackendLog({ backend }: Workbench): Promise<void> {
  backend.showLog();
}

export async function restartBackend({ backend }: Workbench): Promise<void> {
  await backend.restart();
}
