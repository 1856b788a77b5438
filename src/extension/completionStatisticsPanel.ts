import * as vscode from 'vscode';
import type { WriterCounts } from '../protocol/completionStatistics.js';
import type { CompletionStatisticsState, FromCompletionStatistics, NamedCounts } from '../protocol/views/completionStatistics.js';
import type { BackendClient } from './backendClient.js';
import type { Catalog } from './catalog.js';
import { commandId, prefix } from './contributions.js';
import type { InlineCompletion } from './inlineCompletion.js';
import type { LiveStatistics } from './live/liveStatistics.js';
import { writerName } from './live/writerName.js';
import { changeSetting, setting } from './settings.js';
import { WebviewPanels } from './webviews/webviewPanels.js';
import { WebviewSession, type WebviewServices } from './webviews/webviewSession.js';

export interface StatisticsServices extends WebviewServices {
  readonly backend: BackendClient;
  readonly catalog: Catalog;
  readonly completion: InlineCompletion;
  readonly live: LiveStatistics;
}

/** What became of suggestions. One panel at a time, which follows what is counted. */
export class CompletionStatisticsPanels extends WebviewPanels<null, OpenStatistics> {
  constructor(private readonly services: StatisticsServices) {
    super('completionStatistics', vscode.l10n.t('Completion Statistics'), services);
  }

  show(): void {
    const current = this.current();
    if (current) current.panel.reveal();
    else this.create(null);
  }

  protected restored(): null {
    return null;
  }

  protected page({ webview }: vscode.WebviewPanel): OpenStatistics {
    return new OpenStatistics(webview, this.services);
  }
}

class OpenStatistics implements vscode.Disposable {
  private readonly session: WebviewSession<'completionStatistics'>;
  private readonly subscriptions: vscode.Disposable;

  constructor(
    webview: vscode.Webview,
    private readonly services: StatisticsServices,
  ) {
    this.session = new WebviewSession(webview, 'completionStatistics', services, {
      state: () => this.state(),
      receive: (message) => this.receive(message),
    });
    const tell = () => this.session.post({ type: 'statistics', statistics: this.state() });
    this.subscriptions = vscode.Disposable.from(
      services.live.onDidChange(tell),
      services.completion.onDidChange(tell),
      services.catalog.onDidChange(tell),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration(`${prefix}.inlineCompletion.statistics`)) tell();
      }),
    );
  }

  dispose(): void {
    this.subscriptions.dispose();
    this.session.dispose();
  }

  private state(): CompletionStatisticsState {
    const { live, completion, catalog } = this.services;
    const running = completion.comparison;
    const named = (counts: WriterCounts): NamedCounts => ({ ...counts, name: writerName(counts, catalog.adapters) });
    const arms = live.comparisons.find(({ startedAt }) => startedAt === running?.startedAt)?.arms ?? [];
    const both = (count: (arm: WriterCounts) => number) => arms.reduce((sum, arm) => sum + count(arm), 0);
    return {
      counting: setting('inlineCompletion.statistics'),
      writers: running ? [] : live.counts.map(named),
      comparisons: live.comparisons
        .filter(({ startedAt }) => startedAt !== running?.startedAt)
        .map(({ startedAt, arms: [first, second] }) => ({ startedAt, first: named(first), second: named(second) }))
        .reverse(),
      running: running
        ? {
            names: running.writers.map((writer) => writerName(writer, catalog.adapters)),
            shown: both(({ shown }) => shown),
            accepted: both(({ accepted }) => accepted),
          }
        : null,
    };
  }

  private async receive(message: FromCompletionStatistics): Promise<void> {
    switch (message.type) {
      case 'wipeStatistics':
        return vscode.commands.executeCommand(commandId('wipeCompletionStatistics'));
      case 'setCounting':
        return changeSetting('inlineCompletion.statistics', message.counting);
      case 'stopComparison':
        return vscode.commands.executeCommand(commandId('compareBlindly'));
      case 'goOnComparing':
        return this.goOn(message.startedAt);
      case 'useWriter':
        return this.services.completion.useWriter(message);
    }
  }

  private async goOn(startedAt: number): Promise<void> {
    const counts = this.services.live.comparisons.find((comparison) => comparison.startedAt === startedAt);
    if (counts) await this.services.live.goOnComparing(counts);
  }
}
