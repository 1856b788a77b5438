import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import {
  protocolVersion,
  type BackendNotifications,
  type BackendOptions,
  type BackendRequests,
  type BackendSettings,
  type NotificationMethod,
  type RequestMethod,
} from '../protocol/backend.js';
import { startBackend } from './backendProcess.js';
import { setContext } from './contextKeys.js';
import { CrashBudget } from './crashBudget.js';

/** A backend that has started. Holding one means the backend is running. */
export interface LiveBackend {
  request<Method extends RequestMethod>(
    method: Method,
    params: BackendRequests[Method]['params'],
    token?: vscode.CancellationToken,
  ): Promise<BackendRequests[Method]['result']>;
}

/** Why there is no backend; the message is shown to the user as it is. */
export class BackendUnavailable extends Error {
  override readonly name = 'BackendUnavailable';
}

type Handlers = { [Method in NotificationMethod]?: (params: BackendNotifications[Method]) => void };

export interface InlineCompletionListener {
  asking(document: vscode.TextDocument, position: vscode.Position): Promise<void>;
  /** May change the item. */
  suggested(document: vscode.TextDocument, item: vscode.InlineCompletionItem): void;
}

/**
 * The backend process of this window: started when first needed, restarted when it dies (runs are separate processes and do not
 * notice), and given up when it keeps dying.
 */
export class BackendClient implements vscode.Disposable {
  private client: Promise<LanguageClient> | undefined;
  private restarting: Promise<void> | undefined;
  private readonly crashes = new CrashBudget(5, 3 * 60_000);
  private readonly started = new vscode.EventEmitter<LiveBackend>();
  private readonly handlers: Handlers = {};
  private inlineCompletion: InlineCompletionListener | undefined;
  /** Also fires after every restart: listeners that keep data from the backend must request it again. */
  readonly onDidStart = this.started.event;

  constructor(
    private readonly extensionPath: string,
    private readonly log: vscode.LogOutputChannel,
    private readonly settings: () => Promise<BackendSettings>,
  ) {}

  /** Starts the backend if it is not running. Throws BackendUnavailable if it must not or cannot be started. */
  async ready(): Promise<LiveBackend> {
    if (!vscode.workspace.isTrusted) {
      throw new BackendUnavailable(vscode.l10n.t('This workspace is not trusted, so nothing is loaded or trained here.'));
    }
    this.client ??= this.start();
    try {
      return liveBackend(await this.client);
    } catch (error) {
      this.client = undefined;
      setContext({ backendFailed: true });
      throw new BackendUnavailable(
        vscode.l10n.t('The backend did not start: {0}', error instanceof Error ? error.message : String(error)),
      );
    }
  }

  /** The backend if it has been started and was not given up; never starts it. */
  get running(): Promise<LiveBackend> | undefined {
    return this.client?.then(liveBackend);
  }

  /** Starts the backend for code that only shows its data. Ignores errors, which commands report. */
  async wake(): Promise<void> {
    await this.ready().catch(() => undefined);
  }

  /** Sets the handler of a notification; each has only one. */
  handle<Method extends NotificationMethod>(method: Method, handler: (params: BackendNotifications[Method]) => void): void {
    (this.handlers as Record<string, unknown>)[method] = handler;
  }

  /** Called before ghost text is asked for, and with what is about to be shown. */
  listenToInlineCompletion(listener: InlineCompletionListener): void {
    this.inlineCompletion = listener;
  }

  /** Calls while a restart is under way join it. */
  restart(): Promise<void> {
    this.restarting ??= this.stopAndStart().finally(() => (this.restarting = undefined));
    return this.restarting;
  }

  async settingsChanged(): Promise<void> {
    if (!this.client) return;
    await (await this.ready()).request('loraWorkbench/settings', await this.settings());
  }

  showLog(): void {
    this.log.show();
  }

  dispose(): void {
    void this.client?.then((client) => client.dispose());
    this.started.dispose();
  }

  private async stopAndStart(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.crashes.reset();
    await client?.then((running) => running.dispose()).catch(() => undefined);
    await this.ready();
  }

  private async start(): Promise<LanguageClient> {
    // Imported here rather than at the top, because activation must not wait for it.
    const { LanguageClient, CloseAction, ErrorAction, State, RevealOutputChannelOn } = await import('./languageClient.js');
    let settings: BackendSettings;
    const client = new LanguageClient(
      'loraWorkbench',
      'LoRA Workbench',
      async () => {
        settings = await this.settings(); // before every start, also after a crash
        return startBackend(this.extensionPath, vscode.env.language);
      },
      {
        // Documents are synchronised for ghost text and data files; the backend registers each feature for specific files only.
        documentSelector: [{ scheme: 'file' }, { scheme: 'untitled' }],
        outputChannel: this.log,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        middleware: {
          provideInlineCompletionItems: async (document, position, context, token, next) => {
            await this.inlineCompletion?.asking(document, position);
            const found = await next(document, position, context, token);
            const items = Array.isArray(found) ? found : (found?.items ?? []);
            if (!token.isCancellationRequested) for (const item of items) this.inlineCompletion?.suggested(document, item);
            return found;
          },
        },
        initializationOptions: (): BackendOptions => ({ protocolVersion, ...settings }),
        errorHandler: {
          error: () => ({ action: ErrorAction.Continue, handled: true }),
          closed: () => {
            if (this.crashes.spend()) return { action: CloseAction.Restart, handled: true };
            this.client = undefined;
            this.tellGivenUp();
            return { action: CloseAction.DoNotRestart, handled: true };
          },
        },
      },
    );
    for (const [method, handler] of Object.entries(this.handlers)) {
      client.onNotification(method, handler as (params: unknown) => void);
    }
    client.onDidChangeState(({ newState }) => {
      if (newState !== State.Running) return;
      setContext({ backendFailed: false });
      this.started.fire(liveBackend(client));
    });
    await client.start();
    return client;
  }

  private tellGivenUp(): void {
    setContext({ backendFailed: true });
    const restart = vscode.l10n.t('Restart');
    const showLog = vscode.l10n.t('Show Log');
    const text = vscode.l10n.t('The LoRA Workbench backend stopped several times in a row. Runs go on without it.');
    void vscode.window.showErrorMessage(text, restart, showLog).then((choice) => {
      if (choice === restart) void this.restart();
      if (choice === showLog) this.log.show();
    });
  }
}

function liveBackend(client: LanguageClient): LiveBackend {
  return { request: (method, params, token) => client.sendRequest(method, params, token) };
}
