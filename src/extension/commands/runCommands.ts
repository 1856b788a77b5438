import * as vscode from 'vscode';
import type { RunSummary } from '../../protocol/backend.js';
import type { RunStatus } from '../../protocol/run.js';
import { canPause, canResume, isLive } from '../../protocol/runs.js';
import { confirmDeletion } from '../ask.js';
import type { Workbench } from '../workbench.js';
import { namedBy } from './namedBy.js';
import { pickRun, pickRuns } from './pick.js';

/** The run a tree item or a view names, else the one that the user chooses among those that fit. */
async function chosenRun(
  { runs }: Workbench,
  argument: unknown,
  fits: (status: RunStatus) => boolean,
  placeHolder: string,
): Promise<RunSummary | undefined> {
  const runId = namedBy(argument, 'runId');
  if (runId !== undefined) return runs.get(runId);
  return pickRun(runs.list().filter(({ state }) => fits(state.status)), placeHolder);
}

const any = () => true;

export async function pauseRun(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, canPause, vscode.l10n.t('Pause which run?'));
  if (run) await control(workbench, run, 'pause');
}

export async function stopRun(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, isLive, vscode.l10n.t('Stop which run?'));
  if (run) await control(workbench, run, 'stop');
}

async function control({ backend }: Workbench, { runId }: RunSummary, command: 'pause' | 'stop'): Promise<void> {
  await (await backend.ready()).request('loraWorkbench/runs/control', { runId, command });
}

export async function resumeRun(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, canResume, vscode.l10n.t('Resume which run?'));
  if (run) await (await workbench.backend.ready()).request('loraWorkbench/runs/resume', { runId: run.runId });
}

export async function openRun(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, any, vscode.l10n.t('Show which run?'));
  if (run) await workbench.fineTune.showRuns([run.runId]);
}

export async function compareRuns(workbench: Workbench, argument: unknown): Promise<void> {
  const runs = await pickRuns(workbench.runs.list(), namedBy(argument, 'runId'), vscode.l10n.t('Compare which runs?'));
  if (runs.length > 0) await workbench.fineTune.showRuns(runs.map(({ runId }) => runId));
}

export async function showRunLog(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, any, vscode.l10n.t('Show the log of which run?'));
  if (!run) return;
  const log = vscode.Uri.joinPath(vscode.Uri.file(run.runId), 'log.txt');
  await vscode.window.showTextDocument(log, { preview: true });
}

export async function revealRunFolder(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, any, vscode.l10n.t('Reveal the folder of which run?'));
  if (!run) return;
  const folder = vscode.Uri.file(run.runId);
  // The explorer shows only what is in the workspace; a remote machine has no file manager, but a terminal.
  if (vscode.workspace.getWorkspaceFolder(folder)) await vscode.commands.executeCommand('revealInExplorer', folder);
  else if (vscode.env.remoteName === undefined) await vscode.commands.executeCommand('revealFileInOS', folder);
  else vscode.window.createTerminal({ name: run.name, cwd: folder }).show();
}

export async function deleteRun(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, (status) => !isLive(status), vscode.l10n.t('Delete which run?'));
  if (!run) return;
  const question = vscode.l10n.t('Delete {0} with its checkpoints and its adapter?', run.name);
  if (!(await confirmDeletion(question, run.runId))) return;
  await (await workbench.backend.ready()).request('loraWorkbench/runs/delete', { runId: run.runId });
}
