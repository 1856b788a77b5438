import * as vscode from 'vscode';
import { isLive, secondsLeft } from '../protocol/runs.js';
import { commandId } from './contributions.js';
import { formatDuration } from './format.js';
import type { Runs } from './runs.js';

/** Shows a live run in the status bar. */
export class TrainingStatus implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('training', vscode.StatusBarAlignment.Left, 10);
  private readonly subscription: vscode.Disposable;

  constructor(private readonly runs: Runs) {
    this.item.name = vscode.l10n.t('LoRA Workbench: Training');
    this.item.command = commandId('openMonitor');
    this.subscription = runs.onDidChange(() => this.show());
  }

  dispose(): void {
    this.subscription.dispose();
    this.item.dispose();
  }

  private show(): void {
    const runs = this.runs.list();
    const live = runs.filter(({ state }) => isLive(state.status));
    const waiting = runs.filter(({ state }) => state.status === 'queued').length;
    const [run] = live;
    if (!run) return this.item.hide();
    const { step, totalSteps, status } = run.state;
    const more = live.length > 1 ? ` +${live.length - 1}` : '';
    // The step number shows that training continues. An icon that spins for hours would take processor time from it.
    const icon = status === 'paused' ? 'debug-pause' : 'flame';
    this.item.text = `$(${icon}) ${totalSteps > 0 ? `${step}/${totalSteps}` : vscode.l10n.t('preparing')}${more}`;
    const left = secondsLeft(run);
    const loss = run.lastStep ? vscode.l10n.t('loss {0}', run.lastStep.loss.toFixed(3)) : '';
    const time = left === undefined ? '' : vscode.l10n.t('about {0} left', formatDuration(left));
    const queue = waiting > 0 ? vscode.l10n.t('in the queue: {0}', waiting) : '';
    this.item.tooltip = [run.name, loss, time, queue].filter(Boolean).join(' · ');
    this.item.accessibilityInformation = { label: vscode.l10n.t('Training {0}, step {1} of {2}', run.name, step, totalSteps) };
    this.item.show();
  }
}
