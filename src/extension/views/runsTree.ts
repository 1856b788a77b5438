import * as vscode from 'vscode';
import type { RunSummary } from '../../protocol/backend.js';
import type { RunStatus } from '../../protocol/run.js';
import { commandId, type TreeItemKind } from '../contributions.js';
import { formatStatus, formatTime } from '../format.js';
import type { Runs } from '../runs.js';

export class RunsTree implements vscode.TreeDataProvider<RunSummary> {
  readonly onDidChangeTreeData: vscode.Event<void>;

  constructor(private readonly runs: Runs) {
    this.onDidChangeTreeData = runs.onDidChange;
  }

  async getChildren(parent?: RunSummary): Promise<RunSummary[]> {
    await this.runs.looked();
    return parent ? [] : [...this.runs.list()];
  }

  getTreeItem(run: RunSummary): vscode.TreeItem {
    const item = new vscode.TreeItem(run.name);
    item.id = run.runId;
    item.contextValue = `run.${run.state.status}` satisfies TreeItemKind;
    item.description = describe(run);
    item.iconPath = statusIcon(run.state.status);
    item.tooltip = tooltip(run);
    item.accessibilityInformation = { label: `${run.name}, ${item.description}` };
    item.command = { command: commandId('openRun'), title: '', arguments: [run] };
    return item;
  }
}

function describe({ state, lastStep }: RunSummary): string {
  const status = formatStatus(state.status);
  const best = state.bestEvalLoss ?? lastStep?.loss;
  const progress =
    state.totalSteps > 0 && state.status !== 'finished' ? `${status} ${state.step}/${state.totalSteps}` : status;
  const parts = [progress, ...(best === undefined ? [] : [vscode.l10n.t('loss {0}', best.toFixed(3))])];
  return [...parts, formatTime(state.startedAt)].join(' · ');
}

function tooltip({ name, model, dataPath, state, runId }: RunSummary): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  // appendText escapes: names of files and messages are no markup.
  text.appendMarkdown('**').appendText(name).appendMarkdown('** ').appendText(formatStatus(state.status));
  const lines = [
    [vscode.l10n.t('Model'), model],
    [vscode.l10n.t('Data'), dataPath],
    [vscode.l10n.t('Device'), state.device],
    [vscode.l10n.t('Folder'), runId],
    ...(state.message ? [[vscode.l10n.t('Message'), state.message]] : []),
  ];
  for (const [title, value] of lines) text.appendMarkdown('\n\n').appendText(`${title}: ${value}`);
  return text;
}

function statusIcon(status: RunStatus): vscode.ThemeIcon {
  switch (status) {
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
