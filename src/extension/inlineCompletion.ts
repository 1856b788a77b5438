import * as vscode from 'vscode';
import type { CompletionSettings, CompletionStatus } from '../protocol/backend.js';
import type { BackendClient } from './backendClient.js';
import { commandId } from './contributions.js';
import { formatLatency } from './format.js';
import { setting } from './settings.js';

/** Which base and adapter write ghost text; kept with the workspace. */
interface CompletionChoice {
  readonly model: string;
  readonly adapter: string;
}

interface Choice extends CompletionChoice {
  /** Off: the base alone, to compare at the same cursor. */
  readonly adapterOn: boolean;
}

const memoryKey = 'inlineCompletion.choice';

/** Ghost text itself comes from the language server; this chooses who writes it, and shows it in the status bar. */
export class InlineCompletion implements vscode.Disposable {
  private readonly statusItem = vscode.window.createStatusBarItem('completion', vscode.StatusBarAlignment.Right, 90);
  private status: CompletionStatus = { kind: 'off' };
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly backend: BackendClient,
    private readonly memory: vscode.Memento,
    private readonly setContext: (on: boolean) => void,
  ) {
    this.statusItem.name = vscode.l10n.t('LoRA Workbench: Inline Completion');
    this.statusItem.command = commandId('switchCompletionAdapter');
    backend.handle('loraWorkbench/completion/status', (status) => {
      this.status = status;
      this.show();
    });
    this.subscriptions = [
      this.statusItem,
      backend.onDidStart((live) => live.request('loraWorkbench/completion/configure', this.settings())),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('loraWorkbench.inlineCompletion') && this.choice) void this.configure();
      }),
    ];
    this.show();
  }

  /** Whether ghost text is on, so that the backend is needed. */
  get isOn(): boolean {
    return this.choice !== undefined;
  }

  async use(choice: CompletionChoice): Promise<void> {
    await this.remember({ ...choice, adapterOn: true });
  }

  async turnOff(): Promise<void> {
    await this.remember(undefined);
  }

  async switchAdapter(): Promise<void> {
    const choice = this.choice;
    if (!choice) return;
    await this.remember({ ...choice, adapterOn: !choice.adapterOn });
    // What is shown was written by the other one.
    await vscode.commands.executeCommand('editor.action.inlineSuggest.hide');
    await vscode.commands.executeCommand('editor.action.inlineSuggest.trigger');
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private get choice(): Choice | undefined {
    return this.memory.get<Choice>(memoryKey);
  }

  private async remember(choice: Choice | undefined): Promise<void> {
    await this.memory.update(memoryKey, choice);
    await this.configure();
  }

  private async configure(): Promise<void> {
    this.show();
    await (await this.backend.ready()).request('loraWorkbench/completion/configure', this.settings());
  }

  private settings(): CompletionSettings {
    const choice = this.choice;
    return {
      model: choice?.model ?? null,
      adapter: choice?.adapterOn ? choice.adapter : null,
      adapterStrength: setting('inlineCompletion.adapterStrength'),
      languages: setting('inlineCompletion.languages'),
      mode: setting('inlineCompletion.mode'),
      debounceMs: setting('inlineCompletion.debounceMilliseconds'),
      maxNewTokens: setting('inlineCompletion.maxNewTokens'),
    };
  }

  private show(): void {
    const choice = this.choice;
    this.setContext(choice !== undefined);
    if (!choice) return this.statusItem.hide();
    const name = choice.adapterOn ? nameOf(choice.adapter) : vscode.l10n.t('base {0}', nameOf(choice.model));
    this.statusItem.text = `$(${statusIcon(this.status)}) ${name}${latency(this.status)}`;
    this.statusItem.tooltip = tooltip(choice, this.status);
    this.statusItem.accessibilityInformation = { label: vscode.l10n.t('Inline completion by {0}', name) };
    this.statusItem.show();
  }
}

function statusIcon(status: CompletionStatus): string {
  switch (status.kind) {
    case 'loading':
      return 'loading~spin';
    case 'failed':
      return 'error';
    case 'off':
    case 'ready':
      return 'sparkle';
  }
}

function latency(status: CompletionStatus): string {
  return status.kind === 'ready' && status.latencyMs !== null ? ` ${formatLatency(status.latencyMs)}` : '';
}

function tooltip({ model, adapter, adapterOn }: Choice, status: CompletionStatus): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  const lines = [
    vscode.l10n.t('Ghost text by {0}', nameOf(model)),
    adapterOn
      ? vscode.l10n.t('with the adapter {0}', nameOf(adapter))
      : vscode.l10n.t('without the adapter {0}', nameOf(adapter)),
    ...(status.kind === 'ready' && status.latencyMs !== null
      ? [vscode.l10n.t('The last suggestion took {0}.', formatLatency(status.latencyMs))]
      : []),
    ...(status.kind === 'failed' ? [status.message] : []),
    vscode.l10n.t('Click to switch between base and adapter.'),
  ];
  for (const line of lines) text.appendText(line).appendMarkdown('\n\n');
  return text;
}

/** "adapter" says nothing: the run's name does. */
function nameOf(path: string): string {
  const parts = path.split(/[\\/]/).filter(Boolean);
  const last = parts.at(-1) ?? path;
  return /^adapter(-best)?$/.test(last) ? (parts.at(-2) ?? last) : last;
}
