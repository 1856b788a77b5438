import * as vscode from 'vscode';
import { ordinal } from '../../l10n/ordinal.js';
import type { RunSummary } from '../../protocol/backend.js';
import { turnOf } from '../../protocol/queue.js';
import type { RunStatus } from '../../protocol/run.js';
import { isLive, isOver } from '../../protocol/runs.js';
import { setContext } from '../contextKeys.js';
import { commandId, viewIds, type TreeItemKind } from '../contributions.js';
import { formatAgo, formatStatus, formatTime } from '../format.js';
import type { Runs } from '../runs.js';
import { sweepsOf, type SweepOfRuns } from '../sweeps.js';

/** How often texts such as "2 hours ago" are refreshed. */
const agoIntervalMs = 60_000;

/** A run, or a sweep with its runs below it. */
type RunsTreeItem = RunSummary | SweepOfRuns;

export class RunsTree implements vscode.TreeDataProvider<RunsTreeItem>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly subscriptions: vscode.Disposable;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly runs: Runs) {
    const view = vscode.window.createTreeView(viewIds.runs, { treeDataProvider: this, canSelectMany: true });
    this.subscriptions = vscode.Disposable.from(
      view,
      runs.onDidChange(() => this.changed.fire()),
      this.changed,
    );
    this.timer = setInterval(() => this.changed.fire(), agoIntervalMs).unref(); // must not keep a process alive
  }

  dispose(): void {
    clearInterval(this.timer);
    this.subscriptions.dispose();
  }

  async getChildren(parent?: RunsTreeItem): Promise<RunsTreeItem[]> {
    if (await this.runs.loaded()) setContext({ hasLookedForRuns: true });
    if (parent) return 'runs' in parent ? [...parent.runs] : [];
    const runs = this.runs.list();
    const sweeps = new Map(sweepsOf(runs).map((sweep) => [sweep.sweepId, sweep]));
    // A sweep stands where the newest of its runs would.
    return [...new Set(runs.map((run) => (run.sweepId === null ? run : sweeps.get(run.sweepId)!)))];
  }

  getTreeItem(item: RunsTreeItem): vscode.TreeItem {
    return 'runs' in item ? sweepItem(item) : runItem(item, this.runs.list());
  }
}

function runItem(run: RunSummary, all: readonly RunSummary[]): vscode.TreeItem {
  const item = new vscode.TreeItem(run.name);
  item.id = run.runId;
  item.contextValue = `run.${run.state.status}` satisfies TreeItemKind;
  item.description = describeRun(run, all);
  item.iconPath = statusIcon(run.state.status);
  item.tooltip = tooltip(run, all);
  item.accessibilityInformation = { label: `${run.name}, ${item.description}` };
  item.command = { command: commandId('openRun'), title: '', arguments: [run] };
  return item;
}

function sweepItem(sweep: SweepOfRuns): vscode.TreeItem {
  const isUnderWay = sweep.runs.some(({ state }) => !isOver(state.status));
  const item = new vscode.TreeItem(
    sweep.name,
    isUnderWay ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = sweep.sweepId;
  item.contextValue = 'sweep' satisfies TreeItemKind;
  item.description = describeSweep(sweep);
  item.iconPath = new vscode.ThemeIcon('graph-scatter', isUnderWay ? new vscode.ThemeColor('charts.green') : undefined);
  item.tooltip = sweep.sweepId;
  item.command = { command: commandId('showSweep'), title: '', arguments: [sweep] };
  return item;
}

/** "3 of 9 done · Running" */
export function describeSweep({ runs }: SweepOfRuns): string {
  const statuses = runs.map(({ state }) => state.status);
  const done = vscode.l10n.t('{0} of {1} done', statuses.filter((status) => status === 'finished').length, runs.length);
  const present = statuses.find(isLive) ?? statuses.find((status) => status === 'queued');
  return present ? `${done} · ${formatStatus(present)}` : done;
}

/** Describes the state of a run in lists; `all` are the runs of the window. */
export function describeRun(run: RunSummary, all: readonly RunSummary[]): string {
  const { state, lastStep, labels } = run;
  const status = statusWords(run, all);
  const progress = state.totalSteps > 0 && state.status !== 'finished' ? `${status} ${state.step}/${state.totalSteps}` : status;
  const parts = [progress, ...lossWords(state.bestEvalLoss, lastStep?.loss)];
  return [...parts, ...labels.tags.map((tag) => `#${tag}`), formatAgo(state.startedAt)].join(' · ');
}

/** "running"; "waiting, 2nd in the queue". */
function statusWords(run: RunSummary, all: readonly RunSummary[]): string {
  const turn = turnOf(all, run);
  if (!turn) return formatStatus(run.state.status);
  return vscode.l10n.t('waiting, {0} in the queue', ordinal(turn.place, vscode.env.language));
}

function lossWords(heldOut: number | null, training: number | undefined): string[] {
  if (heldOut !== null) return [vscode.l10n.t('held-out loss {0}', heldOut.toFixed(3))];
  return training === undefined ? [] : [vscode.l10n.t('loss {0}', training.toFixed(3))];
}

function tooltip(run: RunSummary, all: readonly RunSummary[]): vscode.MarkdownString {
  const { name, labels, model, dataPath, rank, state, firstEvalLoss, runId } = run;
  const [first] = turnOf(all, run)?.ahead ?? [];
  const text = new vscode.MarkdownString();
  // appendText escapes its argument: file names and messages are not markup.
  text.appendMarkdown('**').appendText(name).appendMarkdown('** ').appendText(statusWords(run, all));
  const lines = [
    ...(first ? [[vscode.l10n.t('After'), first.name]] : []),
    [vscode.l10n.t('Model'), model],
    [vscode.l10n.t('Data'), dataPath],
    [vscode.l10n.t('Rank'), String(rank)],
    ...(state.bestEvalLoss === null
      ? []
      : [
          [
            vscode.l10n.t('Held-out loss'),
            [firstEvalLoss, state.bestEvalLoss].flatMap((loss) => loss?.toFixed(3) ?? []).join(' → '),
          ],
        ]),
    [vscode.l10n.t('Started'), `${formatAgo(state.startedAt)} (${formatTime(state.startedAt)})`],
    ...(labels.tags.length > 0 ? [[vscode.l10n.t('Tags'), labels.tags.join(', ')]] : []),
    ...(labels.note ? [[vscode.l10n.t('Note'), labels.note]] : []),
    [vscode.l10n.t('Device'), state.device],
    [vscode.l10n.t('Folder'), runId],
    ...(state.message ? [[vscode.l10n.t('Message'), state.message]] : []),
  ];
  for (const [title, value] of lines) text.appendMarkdown('\n\n').appendText(`${title}: ${value}`);
  return text;
}

function statusIcon(status: RunStatus): vscode.ThemeIcon {
  switch (status) {
    case 'queued':
      return new vscode.ThemeIcon('watch');
    case 'preparing':
      return new vscode.ThemeIcon('loading~spin');
    case 'running':
      return new vscode.ThemeIcon('play-circle', new vscode.ThemeColor('charts.green'));
    case 'paused':
      return new vscode.ThemeIcon('debug-pause', new vscode.ThemeColor('charts.yellow'));
    case 'stopped':
      return new vscode.ThemeIcon('stop-circle');
    case 'finished':
      return new vscode.ThemeIcon('pass', new vscode.ThemeColor('charts.green'));
    case 'failed':
      return new vscode.ThemeIcon('error', new vscode.ThemeColor('charts.red'));
    case 'interrupted':
      return new vscode.ThemeIcon('debug-disconnect', new vscode.ThemeColor('charts.orange'));
  }
}
