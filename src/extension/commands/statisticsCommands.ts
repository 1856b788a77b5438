import * as vscode from 'vscode';
import { statisticsText } from '../live/statisticsText.js';
import { setting } from '../settings.js';
import type { Workbench } from '../workbench.js';

export async function showCompletionStatistics({ live, reports, completion }: Workbench): Promise<void> {
  if (completion.isBlind) {
    const stop = vscode.l10n.t('Stop and Show');
    const text = vscode.l10n.t('A blind comparison is going on, and the numbers would tell who writes. Stop it?');
    if ((await vscode.window.showWarningMessage(text, { modal: true }, stop)) !== stop) return;
    await completion.setBlind(false);
  }
  await reports.show(`${vscode.l10n.t('Completion Statistics')}.md`, statisticsText(live.counts('all'), live.counts('blind')));
}

export async function wipeCompletionStatistics({ live }: Workbench): Promise<void> {
  await live.wipe();
  void vscode.window.showInformationMessage(vscode.l10n.t('The statistics of inline completion were wiped.'));
}

/** Starts a blind comparison of base and adapter; if one is going on, ends it and shows the result. */
export async function compareBlindly(workbench: Workbench): Promise<void> {
  const { completion, live } = workbench;
  if (completion.isBlind) {
    await completion.setBlind(false);
    return showCompletionStatistics(workbench);
  }
  if (!setting('inlineCompletion.statistics'))
    throw new Error(
      vscode.l10n.t('A blind comparison counts suggestions, and {0} is off.', 'loraWorkbench.inlineCompletion.statistics'),
    );
  await live.wipeBlind();
  await completion.setBlind(true);
  void vscode.window.showInformationMessage(
    vscode.l10n.t(
      'Base and adapter now take turns, in an order that is not shown. Run the command again to see which one you preferred.',
    ),
  );
}
