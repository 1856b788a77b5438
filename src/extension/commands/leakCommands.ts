import * as vscode from 'vscode';
import { isLive } from '../../protocol/runs.js';
import type { Workbench } from '../workbench.js';
import { chosenRun } from './runCommands.js';

/** Looks for training text that a run's adapter writes word for word, and shows what was found. */
export async function probeForLeaks(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(
    workbench,
    argument,
    vscode.l10n.t('Probe which run for training text?'),
    (status) => !isLive(status),
  );
  if (!run) return;
  if (!run.hasAdapter) throw new Error(vscode.l10n.t('{0} has no adapter yet.', run.name));
  await workbench.leakReport.probe(run);
}
