import {
  CodeLensRefreshRequest,
  CodeLensRequest,
  HoverRequest,
  type Connection,
  type TextDocuments,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { UserError } from '../core/errors.js';
import { codeLens, examine, hover, type DataFileReport } from './dataHelp.js';
import { isRunConfig } from './runConfigHelp.js';
import type { ModelTokenizer, Tokenizers } from './tokenizers.js';

const restMs = 400;
const selector = [{ pattern: '**/*.{jsonl,ndjson,json,csv,tsv}' }];
const isDataFile = (uri: string) => /\.(jsonl|ndjson|json|csv|tsv)$/i.test(uri) && !isRunConfig(uri);

/** Editor help for data files: diagnostics mark broken examples, hovers show token counts, and a code lens starts a run. */
export class DataHelp {
  private readonly reports = new Map<string, DataFileReport>();
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly connection: Connection,
    private readonly documents: TextDocuments<TextDocument>,
    private readonly tokenizers: Tokenizers,
    private readonly modelInUse: () => Promise<string | undefined>,
  ) {
    documents.onDidChangeContent(({ document }) => this.lookSoon(document));
    documents.onDidClose(({ document }) => this.forget(document.uri));
    connection.onHover(({ textDocument, position }) => {
      const report = this.reports.get(textDocument.uri);
      return report ? hover(report, position) : null;
    });
    connection.onCodeLens(({ textDocument }) => {
      const report = this.reports.get(textDocument.uri);
      return report ? codeLens(report, textDocument.uri) : [];
    });
    connection.onInitialized(async () => {
      // Registered dynamically: static capabilities would be requested for every synchronised document.
      await connection.client.register(HoverRequest.type, { documentSelector: selector });
      await connection.client.register(CodeLensRequest.type, { documentSelector: selector });
    });
  }

  private lookSoon(document: TextDocument): void {
    if (!isDataFile(document.uri)) return;
    clearTimeout(this.timers.get(document.uri));
    this.timers.set(
      document.uri,
      setTimeout(() => void this.check(document), restMs),
    );
  }

  private async check(document: TextDocument): Promise<void> {
    const tokenizer = await this.tokenizer();
    if (!this.documents.get(document.uri)) return;
    const report = examine(document, tokenizer);
    if (!report) return this.forget(document.uri);
    this.reports.set(document.uri, report);
    await this.connection.sendDiagnostics({ uri: document.uri, diagnostics: [...report.diagnostics] });
    await this.connection.sendRequest(CodeLensRefreshRequest.type);
  }

  private forget(uri: string): void {
    clearTimeout(this.timers.get(uri));
    this.timers.delete(uri);
    if (this.reports.delete(uri)) void this.connection.sendDiagnostics({ uri, diagnostics: [] });
  }

  /** If the model cannot be read, only the token counts are missing. */
  private async tokenizer(): Promise<ModelTokenizer | undefined> {
    const model = await this.modelInUse();
    try {
      return model === undefined ? undefined : this.tokenizers.of(model);
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }
}
