import * as vscode from 'vscode';
import { enoughPositions } from '../../protocol/completionReport.js';
import { isOver } from '../../protocol/runs.js';
import { chooseOne } from '../ask.js';
import { completionOptions } from '../inlineCompletion.js';
import { removeFolders } from '../removeFolder.js';
import { sweepsOf, type SweepOfRuns } from '../sweeps.js';
import { describeSweep } from '../views/runsTree.js';
import type { Workbench } from '../workbench.js';
import { namedBy } from './namedBy.js';
import { chosenRun } from './runCommands.js';

/** `argument` is the Uri of a run.json, else it is the one in the Fine-Tune panel. */
export async function planSweep({ sweep }: Workbench, argument: unknown): Promise<void> {
  await sweep.plan(argument instanceof vscode.Uri ? argument : undefined);
}

/** `argument` is the Uri of a run.json, or names a run. */
export async function planSweepFromRun(workbench: Workbench, argument: unknown): Promise<void> {
  if (argument instanceof vscode.Uri) return workbench.sweep.plan(argument);
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Vary the settings of which run?'));
  if (run) await workbench.sweep.plan(vscode.Uri.joinPath(vscode.Uri.file(run.runId), 'run.json'));
}

export async function showSweep(workbench: Workbench, argument: unknown): Promise<void> {
  const sweep = await chosenSweep(workbench, argument, vscode.l10n.t('Show which sweep?'));
  if (sweep) await workbench.sweep.show(sweep.sweepId);
}

/** Measures how well the adapters of a sweep complete code that none of them has seen, and shows the sweep with the scores. */
export async function evaluateSweep(workbench: Workbench, argument: unknown): Promise<void> {
  const sweep = await chosenSweep(workbench, argument, vscode.l10n.t('Evaluate the adapters of which sweep?'));
  if (!sweep) return;
  const request = { sweepId: sweep.sweepId, positions: enoughPositions, seed: 1337, ...completionOptions() };
  const title = vscode.l10n.t('Evaluating {0}', sweep.name);
  const ended = await workbench.work.run('loraWorkbench/sweeps/evaluate', request, title);
  if (ended !== undefined) await workbench.sweep.show(sweep.sweepId);
}

/** Deletes the folder of a sweep with all its runs. */
export async function deleteSweep(workbench: Workbench, argument: unknown): Promise<void> {
  const sweep = await chosenSweep(workbench, argument, vscode.l10n.t('Delete which sweep?'));
  if (!sweep) return;
  const { name, runs, sweepId } = sweep;
  if (!runs.every(({ state }) => isOver(state.status))) {
    throw new Error(vscode.l10n.t('{0} is still going. Stop it first.', name));
  }
  const question = vscode.l10n.t(
    'Delete the sweep {0} with all {1} runs, their checkpoints and their adapters?',
    name,
    runs.length,
  );
  await removeFolders([vscode.Uri.file(sweepId)], question, [name]);
}

async function chosenSweep({ runs }: Workbench, argument: unknown, placeHolder: string): Promise<SweepOfRuns | undefined> {
  const sweeps = sweepsOf(runs.list());
  const sweepId = namedBy(argument, 'sweepId');
  if (sweepId !== undefined) return sweeps.find((sweep) => sweep.sweepId === sweepId);
  const choices = sweeps.map((sweep) => ({ label: sweep.name, description: describeSweep(sweep), value: sweep }));
  return sweeps.length === 1 ? sweeps[0] : chooseOne(choices, placeHolder);
}
