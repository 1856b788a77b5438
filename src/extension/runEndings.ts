import * as vscode from 'vscode';
import type { RunSummary } from '../protocol/backend.js';
import { isOver } from '../protocol/runs.js';
import { claimEnding } from './claimEnding.js';
import { commandId, type CommandName } from './contributions.js';
import { endedRuns } from './endedRuns.js';
import type { Runs } from './runs.js';
import { sweepsOf, type SweepOfRuns } from './sweeps.js';

const memoryKey = 'runs.live';

/**
 * Reports every run that ends, once and in one window, including runs that ended while the window was closed. The runs of a sweep are
 * reported together, when the last of them has ended.
 */
export class RunEndings implements vscode.Disposable {
  private readonly subscription: vscode.Disposable;

  constructor(
    runs: Runs,
    private readonly memory: vscode.Memento,
  ) {
    this.subscription = runs.onDidChange(() => this.check(runs.list()));
  }

  dispose(): void {
    this.subscription.dispose();
  }

  private check(runs: readonly RunSummary[]): void {
    const before = this.memory.get<readonly string[]>(memoryKey, []);
    const { ended, live } = endedRuns(before, runs, Date.now());
    if (live.join('\n') !== before.join('\n')) void this.memory.update(memoryKey, live);
    for (const run of ended.filter(({ sweepId }) => sweepId === null)) void tellOnce(run);
    for (const sweep of sweepsOf(runs)) {
      const last = ended.find(({ sweepId }) => sweepId === sweep.sweepId);
      if (last && sweep.runs.every(({ state }) => isOver(state.status))) void tellSweepOnce(sweep, last);
    }
  }
}

async function tellOnce(run: RunSummary): Promise<void> {
  if (await claimEnding(run)) await tell(run);
}

async function tellSweepOnce({ sweepId, name, runs }: SweepOfRuns, last: RunSummary): Promise<void> {
  if (!(await claimEnding(last))) return;
  const done = runs.filter(({ state }) => state.status === 'finished').length;
  const words = vscode.l10n.t('The sweep {0} has ended: {1} of {2} runs were trained to their end.', name, done, runs.length);
  await offerCommands(vscode.window.showInformationMessage, words, [
    { label: vscode.l10n.t('Show Which to Take'), command: 'showSweep', argument: { sweepId } },
  ]);
}

async function tell(run: RunSummary): Promise<void> {
  const { state, name, runId } = run;
  if (state.status === 'finished') return tellFinished(run);
  const text =
    state.status === 'failed'
      ? vscode.l10n.t('{0} failed.', name)
      : vscode.l10n.t('{0} was interrupted: its process ended unexpectedly.', name);
  const words = [text, ...(state.message ? [state.message] : [])].join(' ');
  await offerCommands(vscode.window.showErrorMessage, words, [
    { label: vscode.l10n.t('Show Log'), command: 'showRunLog', argument: { runId } },
  ]);
}

async function tellFinished(run: RunSummary): Promise<void> {
  const { runId } = run;
  await offerCommands(vscode.window.showInformationMessage, finishedWords(run), [
    { label: vscode.l10n.t('Try in Playground'), command: 'runInference', argument: { runId } },
    { label: vscode.l10n.t('Use for Inline Completion'), command: 'useAdapterForCompletion', argument: { runId } },
    { label: vscode.l10n.t('Show Plots'), command: 'openRun', argument: { runId } },
  ]);
}

function finishedWords({ name, firstEvalLoss, state }: RunSummary): string {
  if (firstEvalLoss === null || state.bestEvalLoss === null) return vscode.l10n.t('{0} has finished.', name);
  return vscode.l10n.t(
    '{0} has finished. Held-out loss: {1} before, {2} at its best.',
    name,
    firstEvalLoss.toFixed(3),
    state.bestEvalLoss.toFixed(3),
  );
}

interface Offer {
  readonly label: string;
  readonly command: CommandName;
  readonly argument: unknown;
}

type Show = (text: string, ...buttons: string[]) => Thenable<string | undefined>;

async function offerCommands(show: Show, text: string, offers: readonly Offer[]): Promise<void> {
  const chosen = await show(text, ...offers.map(({ label }) => label));
  const offer = offers.find(({ label }) => label === chosen);
  if (offer) await vscode.commands.executeCommand(commandId(offer.command), offer.argument);
}
