import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  DidChangeWatchedFilesNotification,
  InlineCompletionRequest,
  type CancellationToken,
  type Connection,
  type Disposable,
  type InlineCompletionItem,
  type InlineCompletionParams,
  type WorkspaceFolder,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { CursorContext } from '../complete/context.js';
import { queryAt } from '../complete/retrieval/retrieve.js';
import { textAround } from '../complete/textAround.js';
import { fileName, whyNoSource, whyPrivate } from '../core/data/fileRules.js';
import type { OtherFile } from '../core/tokenizer/fillInTheMiddlePrompt.js';
import type { CompletionSettings, CompletionStatus } from '../protocol/backend.js';
import { documentPlace } from './documentPlace.js';
import type { Generator } from './generator.js';
import { Retriever } from './retriever.js';

/** Provides ghost text; registered with the editor only while it is on, and only for the chosen languages. */
export class CompletionProvider {
  private settings: CompletionSettings | undefined;
  private registration: Disposable | undefined;
  private watching: Disposable | undefined;
  private readonly retriever: Retriever;

  constructor(
    private readonly connection: Connection,
    private readonly generator: Generator,
    private readonly document: (uri: string) => TextDocument | undefined,
    private readonly tell: (status: CompletionStatus) => void,
  ) {
    connection.languages.inlineCompletion.on((params, token) => this.complete(params, token));
    this.retriever = new Retriever((message) => connection.console.warn(message));
    connection.onDidChangeWatchedFiles(({ changes }) => {
      if (changes.some(({ uri }) => mayBeSource(uri))) this.retriever.changed();
    });
  }

  async configure(settings: CompletionSettings): Promise<void> {
    const languagesBefore = this.settings?.languages.join();
    this.settings = settings.model === null ? undefined : settings;
    if (!this.settings || languagesBefore !== settings.languages.join()) {
      this.registration?.dispose();
      this.registration = undefined;
    }
    await this.configureRetrieval(this.settings?.retrieval ?? false);
    if (!this.settings) return this.tell({ kind: 'off' });
    this.registration ??= await this.connection.client.register(InlineCompletionRequest.type, {
      documentSelector: settings.languages.map((language) => (language === '*' ? { pattern: '**' } : { language })),
    });
    this.tell({ kind: 'ready', last: null });
  }

  stop(): void {
    this.retriever.stop();
  }

  private async configureRetrieval(isOn: boolean): Promise<void> {
    if (isOn) {
      this.watching ??= await this.connection.client.register(DidChangeWatchedFilesNotification.type, {
        watchers: [{ globPattern: '**/*' }],
      });
      return this.retriever.use(pathsOf(await this.workspaceFolders()));
    }
    this.watching?.dispose();
    this.watching = undefined;
    this.retriever.use([]);
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
      const around = textAround(document.getText(), document.offsetAt(position));
      const others = settings.retrieval ? await this.othersAt(around, document.uri, folders) : [];
      const place = documentPlace(document.uri, folders);
      const completed = await this.generator.complete({ ...settings, model: settings.model, ...around, ...place, others }, token);
      if (token.isCancellationRequested || !completed) return [];
      const { text: insertText, replaced, fillInTheMiddle, retrieved, engine, warning } = completed;
      const latencyMs = performance.now() - started;
      this.tell({ kind: 'ready', last: { latencyMs, fillInTheMiddle, retrieved, engine, warning } });
      const end = { line: position.line, character: position.character + replaced };
      return insertText === '' ? [] : [{ insertText, range: { start: position, end } }];
    } catch (error) {
      this.tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
      return [];
    } finally {
      clearTimeout(loading);
    }
  }

  /** None for a document that is not a file yet: no model has learned to read others beside one without a name. */
  private async othersAt(
    around: Pick<CursorContext, 'prefix' | 'suffix'>,
    uri: string,
    folders: readonly WorkspaceFolder[],
  ): Promise<readonly OtherFile[]> {
    this.retriever.use(pathsOf(folders));
    const exceptPath = pathOf(uri);
    return exceptPath === undefined ? [] : this.retriever.find({ query: queryAt(around), exceptPath });
  }

  /** Requested each time because folders come and go. Editors without workspace folders have none. */
  private async workspaceFolders(): Promise<readonly WorkspaceFolder[]> {
    return (await this.connection.workspace.getWorkspaceFolders().catch(() => null)) ?? [];
  }
}

function pathsOf(folders: readonly WorkspaceFolder[]): readonly string[] {
  return folders.flatMap(({ uri }) => pathOf(uri) ?? []);
}

/** A training run in the workspace writes other files several times a second, which must not make the index look for changes. */
function mayBeSource(uri: string): boolean {
  const name = fileName(uri);
  return whyPrivate(name) === undefined && whyNoSource(name) === undefined;
}

/** Undefined for what is not on disk. */
function pathOf(uri: string): string | undefined {
  return uri.startsWith('file:') ? fileURLToPath(uri) : undefined;
}
