import * as vscode from 'vscode';
import type { CompletionSettings, CompletionStatus, FillInTheMiddleChoice } from '../protocol/backend.js';
import type { Comparison, Writer } from '../protocol/completionStatistics.js';
import { adapterName } from './adapterName.js';
import type { BackendClient } from './backendClient.js';
import { commandId } from './contributions.js';
import { formatLatency } from './format.js';
import type { Turn } from './live/turns.js';
import { writerName } from './live/writerName.js';
import { setting } from './settings.js';

/** Which base and adapter write ghost text; stored with the workspace. */
interface CompletionChoice {
  readonly model: string;
  readonly adapter: string;
}

interface Choice extends CompletionChoice {
  /** False means the base alone, to compare the two at the same cursor. */
  readonly adapterOn: boolean;
  /** Two of the same base take turns, and it is not shown who writes. */
  readonly comparison?: Comparison | undefined;
}

const memoryKey = 'inlineCompletion.choice';

/** Chooses what writes ghost text and shows it in the status bar. The ghost text itself comes from the language server. */
export class InlineCompletion implements vscode.Disposable {
  private readonly statusItem = vscode.window.createStatusBarItem('completion', vscode.StatusBarAlignment.Right, 90);
  private status: CompletionStatus = { kind: 'off' };
  private explained: string | undefined;
  /** Who writes in a blind comparison. */
  private turn: Turn = 0;
  private readonly changed = new vscode.EventEmitter<void>();
  /** Fires when another choice is made, and when a blind comparison begins or ends. */
  readonly onDidChange = this.changed.event;
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly backend: BackendClient,
    private readonly memory: vscode.Memento,
    private readonly setContext: (on: boolean) => void,
  ) {
    this.statusItem.name = vscode.l10n.t('LoRA Workbench: Inline Completion');
    backend.handle('loraWorkbench/completion/status', (status) => {
      this.status = status;
      this.show();
      if (status.kind === 'failed') void this.explainFailure(status.message);
    });
    this.subscriptions = [
      this.statusItem,
      this.changed,
      backend.onDidStart((live) => live.request('loraWorkbench/completion/configure', this.settings())),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('loraWorkbench.inlineCompletion') && this.choice) void this.configure();
      }),
    ];
    this.show();
  }

  /** Whether ghost text is on, which means that the backend is needed. */
  get isOn(): boolean {
    return this.choice !== undefined;
  }

  /** The blind comparison that is going on. */
  get comparison(): Comparison | undefined {
    return this.choice?.comparison;
  }

  /** The base and the adapter that are in use, whichever of them writes. */
  get inUse(): CompletionChoice | undefined {
    return this.choice;
  }

  /** Who writes at present; undefined if ghost text is off. */
  get writer(): Writer | undefined {
    const choice = this.choice;
    return choice && this.writerOf(choice);
  }

  /** Begins a blind comparison, or ends the one that is going on; what is in use stays the same. */
  async compareBlindly(comparison: Comparison | undefined): Promise<void> {
    const choice = this.choice;
    if (choice) return this.remember({ ...choice, comparison });
    if (comparison) throw new Error(vscode.l10n.t('Nothing can be compared while inline completion is off.'));
  }

  /** Only for a blind comparison; text that is asked for once this is done is by the writer whose turn it is. */
  async takeTurn(turn: Turn): Promise<void> {
    this.turn = turn;
    await this.configure();
  }

  async use(choice: CompletionChoice): Promise<void> {
    await this.remember({ ...choice, adapterOn: true });
  }

  /** The base alone keeps the adapter that is in use at hand, for a switch. */
  async useWriter({ model, adapter }: Writer): Promise<void> {
    const choice = this.choice;
    if (adapter !== null) return this.use({ model, adapter });
    if (choice) await this.remember({ model, adapter: choice.adapter, adapterOn: false });
  }

  async turnOff(): Promise<void> {
    await this.remember(undefined);
  }

  async switchAdapter(): Promise<void> {
    const choice = this.choice;
    if (!choice) return;
    if (choice.comparison)
      throw new Error(vscode.l10n.t('A blind comparison is going on. Run Compare Blindly to stop it first.'));
    await this.remember({ ...choice, adapterOn: !choice.adapterOn });
    // The text that is shown was written before the switch.
    await vscode.commands.executeCommand('editor.action.inlineSuggest.hide');
    await vscode.commands.executeCommand('editor.action.inlineSuggest.trigger');
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private writerOf({ model, adapter, adapterOn, comparison }: Choice): Writer {
    return comparison?.writers[this.turn] ?? { model, adapter: adapterOn ? adapter : null };
  }

  private get choice(): Choice | undefined {
    return this.memory.get<Choice>(memoryKey);
  }

  private async remember(choice: Choice | undefined): Promise<void> {
    this.explained = undefined;
    await this.memory.update(memoryKey, choice);
    this.changed.fire();
    await this.configure();
  }

  private async configure(): Promise<void> {
    this.show();
    await (await this.backend.ready()).request('loraWorkbench/completion/configure', this.settings());
  }

  private settings(): CompletionSettings {
    const { writer } = this;
    return {
      model: writer?.model ?? null,
      adapter: writer?.adapter ?? null,
      ...completionOptions(),
      languages: setting('inlineCompletion.languages'),
      debounceMs: setting('inlineCompletion.debounceMilliseconds'),
    };
  }

  private show(): void {
    const choice = this.choice;
    this.setContext(choice !== undefined);
    if (!choice) return this.statusItem.hide();
    const name = statusName(choice);
    // How long it takes would tell who writes.
    const time = choice.comparison ? '' : latency(this.status);
    this.statusItem.command = commandId(choice.comparison ? 'compareBlindly' : 'switchCompletionAdapter');
    this.statusItem.text = `$(${statusIcon(this.status)}) ${name}${time}`;
    this.statusItem.tooltip = tooltip(choice, this.status);
    this.statusItem.backgroundColor =
      this.status.kind === 'failed' ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    this.statusItem.accessibilityInformation = { label: vscode.l10n.t('Inline completion by {0}', name) };
    this.statusItem.show();
  }

  /** Shown once for each reason: every keystroke requests text again, and the status bar keeps showing the failure. */
  private async explainFailure(message: string): Promise<void> {
    if (message === this.explained) return;
    this.explained = message;
    const [other, off] = [vscode.l10n.t('Use Another Adapter…'), vscode.l10n.t('Turn Off')];
    const answer = await vscode.window.showWarningMessage(
      vscode.l10n.t('Inline completion does not work. {0}', message),
      other,
      off,
    );
    if (answer === other) await vscode.commands.executeCommand(commandId('useAdapterForCompletion'));
    if (answer === off) await this.turnOff();
  }
}

/** The settings that decide what is suggested. */
export function completionOptions() {
  return {
    adapterStrength: setting('inlineCompletion.adapterStrength'),
    mode: setting('inlineCompletion.mode'),
    fillInTheMiddle: chosenFormat(),
    maxNewTokens: setting('inlineCompletion.maxNewTokens'),
    retrieval: setting('inlineCompletion.retrieval'),
  };
}

function chosenFormat(): FillInTheMiddleChoice {
  const choice = setting('inlineCompletion.fillInTheMiddle');
  return choice === 'custom' ? setting('inlineCompletion.fillInTheMiddleMarkers') : choice;
}

function statusName({ model, adapter, adapterOn, comparison }: Choice): string {
  if (comparison) return vscode.l10n.t('blind comparison');
  if (!adapterOn) return writerName({ model, adapter: null });
  const strength = setting('inlineCompletion.adapterStrength');
  return strength === 1 ? adapterName(adapter) : `${adapterName(adapter)} × ${strength}`;
}

function statusIcon(status: CompletionStatus): string {
  switch (status.kind) {
    case 'loading':
      return 'loading~spin';
    case 'failed':
      return 'error';
    case 'ready':
      return status.last?.warning ? 'warning' : 'sparkle';
    case 'off':
      return 'sparkle';
  }
}

function latency(status: CompletionStatus): string {
  return status.kind === 'ready' && status.last ? ` ${formatLatency(status.last.latencyMs)}` : '';
}

function tooltip(choice: Choice, status: CompletionStatus): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  const lines = [
    vscode.l10n.t('Ghost text by {0}', adapterName(choice.model)),
    ...(choice.comparison
      ? [vscode.l10n.t('{0} and {1} take turns', ...choice.comparison.writers.map((writer) => writerName(writer)))]
      : [adapterInWords(choice), ...lastInWords(status)]),
    ...(status.kind === 'failed' ? [status.message] : []),
    choice.comparison
      ? vscode.l10n.t('Click to stop and to see which one you preferred.')
      : vscode.l10n.t('Click to switch between base and adapter.'),
  ];
  for (const line of lines) text.appendText(line).appendMarkdown('\n\n');
  return text;
}

function adapterInWords({ adapter, adapterOn }: Choice): string {
  if (!adapterOn) return vscode.l10n.t('without the adapter {0}', adapterName(adapter));
  const strength = setting('inlineCompletion.adapterStrength');
  if (strength === 1) return vscode.l10n.t('with the adapter {0}', adapterName(adapter));
  if (strength === 0) return vscode.l10n.t('with the adapter {0} at strength 0, which is the base alone', adapterName(adapter));
  return vscode.l10n.t('with the adapter {0} at strength {1}', adapterName(adapter), strength);
}

function lastInWords(status: CompletionStatus): string[] {
  if (status.kind !== 'ready' || !status.last) return [];
  const { latencyMs, fillInTheMiddle, retrieved, engine, warning } = status.last;
  return [
    vscode.l10n.t('The last suggestion took {0}.', formatLatency(latencyMs)),
    vscode.l10n.t('Computed on: {0}', engine),
    readInWords(fillInTheMiddle),
    ...(setting('inlineCompletion.retrieval') ? [retrievedInWords(retrieved)] : []),
    ...(warning === null ? [] : [warning]),
  ];
}

function readInWords(format: string | null): string {
  if (format !== null)
    return vscode.l10n.t('The model reads what stands before and behind the cursor (fill-in-the-middle: {0}).', format);
  return setting('inlineCompletion.fillInTheMiddle') === 'none'
    ? vscode.l10n.t('The model reads only what stands before the cursor, as set.')
    : vscode.l10n.t('The model reads only what stands before the cursor: it has not learned to fill in the middle.');
}

function retrievedInWords(count: number): string {
  return count === 0
    ? vscode.l10n.t('It was told nothing of other files.')
    : vscode.l10n.t('Similar parts of other files that it was told: {0}', count);
}
