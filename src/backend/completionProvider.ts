import { setTimeout as sleep } from 'node:timers/promises';
import {
  InlineCompletionRequest,
  type CancellationToken,
  type Connection,
  type Disposable,
  type InlineCompletionItem,
  type InlineCompletionParams,
  type WorkspaceFolder,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { textAround } from '../complete/textAround.js';
import type { CompletionSettings, CompletionStatus } from '../protocol/backend.js';
import { documentPlace } from './documentPlace.js';
import type { Generator } from './generator.js';

/** Provides ghost text; registered with the editor only while it is on, and only for the chosen languages. */
export class CompletionProvider {
  private settings: CompletionSettings | undefined;
  private registration: Disposable | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly generator: Generator,
    private readonly document: (uri: string) => TextDocument | undefined,
    private readonly tell: (status: CompletionStatus) => void,
  ) {
    connection.languages.inlineCompletion.on((params, token) => this.complete(params, token));
  }

  async configure(settings: CompletionSettings): Promise<void> {
    const languagesBefore = this.settings?.languages.join();
    this.settings = settings.model === null ? undefined : settings;
    if (!this.settings || languagesBefore !== settings.languages.join()) {
      this.registration?.dispose();
      this.registration = undefined;
    }
    if (!this.settings) return this.tell({ kind: 'off' });
    this.registration ??= await this.connection.client.register(InlineCompletionRequest.type, {
      documentSelector: settings.languages.map((language) => (language === '*' ? { pattern: '**' } : { language })),
    });
    this.tell({ kind: 'ready', last: null });
  }

  private async complete(
    { textDocument, position }: InlineCompletionParams,
    token: CancellationToken,
  ): Promise<InlineCompletionItem[]> {
    const { settings } = this;
    const document = this.document(textDocument.uri);
    if (!settings?.model || !document) return [];
    // The next keystroke cancels this request, so only a pause in typing gets through.
    const [folders] = await Promise.all([this.workspaceFolders(), sleep(settings.debounceMs)]);
    if (token.isCancellationRequested) return [];
    const started = performance.now();
    const loading = setTimeout(() => this.tell({ kind: 'loading' }), 1000);
    try {
      const completed = await this.generator.complete(
        {
          ...settings,
          model: settings.model,
          ...textAround(document.getText(), document.offsetAt(position)),
          ...documentPlace(document.uri, folders),
        },
        token,
      );
      if (token.isCancellationRequested || !completed) return [];
      const { text: insertText, replaced, fillInTheMiddle, engine, warning } = completed;
      this.tell({ kind: 'ready', last: { latencyMs: performance.now() - started, fillInTheMiddle, engine, warning } });
      const end = { line: position.line, character: position.character + replaced };
      return insertText === '' ? [] : [{ insertText, range: { start: position, end } }];
    } catch (error) {
      this.tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
      return [];
    } finally {
      clearTimeout(loading);
    }
  }

  /** Requested each time because folders come and go. Editors without workspace folders have none. */
  private async workspaceFolders(): Promise<readonly WorkspaceFolder[]> {
    return (await this.connection.workspace.getWorkspaceFolders().catch(() => null)) ?? [];
  }
}
