import * as vscode from 'vscode';
import { ordinal } from '../../l10n/ordinal.js';
import type { RunSummary } from '../../protocol/backend.js';
import { turnOf } from '../../protocol/queue.js';
import type { RunStatus } from '../../protocol/run.js';
import { setContext } from '../contextKeys.js';
import { commandId, viewIds, type TreeItemKind } from '../contributions.js';
import { formatAgo, formatStatus, formatTime } from '../format.js';
import type { Runs } from '../runs.js';

/** How often texts such as "2 hours ago" are refreshed. */
const agoIntervalMs = 60_000;

export class RunsTree implements vscode.TreeDataProvider<RunSummary>, vscode.Disposable {
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

  async getChildren(parent?: RunSummary): Promise<RunSummary[]> {
    if (await this.runs.loaded()) setContext({ hasLookedForRuns: true });
    return parent ? [] : [...this.runs.list()];
  }

  getTreeItem(run: RunSummary): vscode.TreeItem {
    const item = new vscode.TreeItem(run.name);
    item.id = run.runId;
    item.contextValue = `run.${run.state.status}` satisfies TreeItemKind;
    item.description = describeRun(run, this.runs.list());
    item.iconPath = statusIcon(run.state.status);
    item.tooltip = tooltip(run, this.runs.list());
    item.accessibilityInformation = { label: `${run.name}, ${item.description}` };
    item.command = { command: commandId('openRun'), title: '', arguments: [run] };
    return item;
  }
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
