import * as vscode from 'vscode';
import type { RunSummary } from '../../protocol/backend.js';
import type { RunStatus } from '../../protocol/run.js';
import { canPause, canResume, isLive, isOver } from '../../protocol/runs.js';
import { formatAgo } from '../format.js';
import { removeFolders } from '../removeFolder.js';
import { revealFolder } from '../revealFolder.js';
import type { Workbench } from '../workbench.js';
import { namedBy } from './namedBy.js';
import { pickRun, pickRuns } from './pick.js';

/** The run that a tree item or view names, or else the one that the user chooses among those that fit. */
export async function chosenRun(
  { runs }: Workbench,
  argument: unknown,
  placeHolder: string,
  fits: (status: RunStatus) => boolean = () => true,
): Promise<RunSummary | undefined> {
  const runId = namedBy(argument, 'runId');
  if (runId !== undefined) return runs.get(runId);
  return pickRun(
    runs.list().filter(({ state }) => fits(state.status)),
    placeHolder,
  );
}

export async function pauseRun(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Pause which run?'), canPause);
  if (run) await control(workbench, run, 'pause');
}

export async function stopRun(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Stop which run?'), isLive);
  if (run) await control(workbench, run, 'stop');
}

async function control({ backend }: Workbench, { runId }: RunSummary, command: 'pause' | 'stop'): Promise<void> {
  await (await backend.ready()).request('loraWorkbench/runs/control', { runId, command });
}

export async function resumeRun(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Resume which run?'), canResume);
  if (run) await (await workbench.backend.ready()).request('loraWorkbench/runs/resume', { runId: run.runId });
}

const waits = (status: RunStatus) => status === 'queued';

/** Trains a waiting run at once, beside whatever is trained. */
export async function startRunNow(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Start which run now?'), waits);
  if (run) await (await workbench.backend.ready()).request('loraWorkbench/runs/startNow', { runId: run.runId });
}

/** Takes the runs selected in the tree, or a single one, out of the queue. */
export async function removeFromQueue(workbench: Workbench, argument: unknown, selected: readonly unknown[] = []): Promise<void> {
  const marked = markedRuns(workbench, selected);
  const run = marked.length > 1 ? undefined : await chosenRun(workbench, argument, vscode.l10n.t('Remove which run?'), waits);
  await dequeue(workbench, run ? [run] : marked);
}

export async function clearQueue(workbench: Workbench): Promise<void> {
  await dequeue(workbench, workbench.runs.list());
}

async function dequeue({ backend }: Workbench, runs: readonly RunSummary[]): Promise<void> {
  const runIds = runs.filter(({ state }) => waits(state.status)).map(({ runId }) => runId);
  await (await backend.ready()).request('loraWorkbench/runs/dequeue', { runIds });
}

function markedRuns({ runs }: Workbench, selected: readonly unknown[]): RunSummary[] {
  return selected.flatMap((item) => runs.get(namedBy(item, 'runId') ?? '') ?? []);
}

export async function openRun(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Show which run?'));
  if (run) await workbench.fineTune.showRuns([run.runId]);
}

export async function compareRuns(workbench: Workbench, argument: unknown): Promise<void> {
  const runs = await pickRuns(workbench.runs.list(), namedBy(argument, 'runId'), vscode.l10n.t('Compare which runs?'));
  if (runs.length > 0) await workbench.fineTune.showRuns(runs.map(({ runId }) => runId));
}

export async function showRunLog(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Show the log of which run?'));
  if (!run) return;
  const log = vscode.Uri.joinPath(vscode.Uri.file(run.runId), 'log.txt');
  await vscode.window.showTextDocument(log, { preview: true });
}

export async function revealRunFolder(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Reveal the folder of which run?'));
  if (!run) return;
  await revealFolder(vscode.Uri.file(run.runId), run.name);
}

/** Deletes the runs selected in the tree, or a single one. Live and waiting runs are never deleted. */
export async function deleteRun(workbench: Workbench, argument: unknown, selected: readonly unknown[] = []): Promise<void> {
  const marked = markedRuns(workbench, selected);
  if (marked.length > 1) return deleteRuns(marked.filter(({ state }) => isOver(state.status)));
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Delete which run?'), isOver);
  if (run && waits(run.state.status))
    throw new Error(vscode.l10n.t('{0} waits in the queue. Remove it from the queue first.', run.name));
  if (run && isLive(run.state.status)) throw new Error(vscode.l10n.t('{0} is still going. Stop it first.', run.name));
  if (run) await deleteRuns([run]);
}

export async function deleteFailedRuns({ runs }: Workbench): Promise<void> {
  await deleteRuns(runs.list().filter(({ state }) => state.status === 'failed'));
}

/** Asks a single question that names all the runs. */
async function deleteRuns(runs: readonly RunSummary[]): Promise<void> {
  const [first] = runs;
  if (!first) return;
  const question =
    runs.length === 1
      ? vscode.l10n.t('Delete {0} with its checkpoints and its adapter?', first.name)
      : vscode.l10n.t('Delete {0} runs with their checkpoints and adapters?', runs.length);
  const names = runs.map((run) => `${run.name} (${formatAgo(run.state.startedAt)})`);
  await removeFolders(
    runs.map(({ runId }) => vscode.Uri.file(runId)),
    question,
    names,
  );
}
