import * as vscode from 'vscode';
import type {
  FromPlayground,
  PlaygroundAnswer,
  PlaygroundRequest,
  PlaygroundSide,
  PlaygroundState,
  Prefill,
} from '../protocol/views/playground.js';
import { chooseUri } from './browse.js';
import type { Catalog } from './catalog.js';
import { setContext } from './contextKeys.js';
import { PromptBatch } from './promptBatch.js';
import { parsePrompts, UnreadableLine, type FilePrompt } from './promptFile.js';
import type { PromptHistory } from './promptHistory.js';
import type { TextStreams } from './textStreams.js';
import { askedSides, variantRequest } from './variantRequest.js';
import { WebviewSession, type WebviewServices } from './webviews/webviewSession.js';

export interface PlaygroundServices extends WebviewServices {
  readonly catalog: Catalog;
  readonly streams: TextStreams;
  readonly history: PromptHistory;
}

/** An open playground panel. */
export class OpenPlayground implements vscode.Disposable {
  private readonly session: WebviewSession<'playground'>;
  private readonly choices: vscode.Disposable;
  private readonly opening = Date.now();
  private generating: { readonly requestId: number; readonly cancel: vscode.CancellationTokenSource } | undefined;
  /** Answers to the last request, kept because a hidden page gets no messages and loses what it showed. */
  private readonly answers = new Map<PlaygroundSide, PlaygroundAnswer>();
  private batch: PromptBatch | undefined;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly services: PlaygroundServices,
    private awaitingPage: Prefill | null,
  ) {
    const { catalog } = services;
    this.session = new WebviewSession(panel.webview, 'playground', services, {
      state: () => this.state(),
      receive: (message) => this.receive(message),
    });
    this.choices = catalog.onDidChange(() =>
      this.session.post({ type: 'choices', models: catalog.models, adapters: catalog.adapters }),
    );
  }

  dispose(): void {
    this.generating?.cancel.cancel();
    vscode.Disposable.from(this.choices, this.session).dispose();
  }

  /** A hidden page no longer exists; the next one gets the prefill with its initial state. */
  prefill(prefill: Prefill): void {
    if (this.panel.visible) this.session.post({ type: 'prefill', prefill });
    else this.awaitingPage = prefill;
  }

  private state(): PlaygroundState {
    const prefill = this.awaitingPage;
    this.awaitingPage = null;
    const { catalog, history } = this.services;
    return {
      opening: this.opening,
      models: catalog.models,
      adapters: catalog.adapters,
      prefill,
      history: history.list(),
      answers: [...this.answers.values()],
      batch: this.batch?.state() ?? null,
    };
  }

  private async receive(message: FromPlayground): Promise<void> {
    switch (message.type) {
      case 'generate':
        return this.generate(message.request, message.prompt);
      case 'generateFile':
        return this.generateFile(message.request);
      case 'stopGenerating':
        if (this.generating?.requestId === message.requestId) this.generating.cancel.cancel();
        return;
      case 'saveBatch':
        return this.saveBatch();
      case 'closeBatch':
        this.generating?.cancel.cancel();
        return this.showBatch(undefined);
      case 'clearHistory':
        await this.services.history.clear();
        return this.sendHistory();
      case 'browseAdapter':
        return this.browseAdapter(message.side);
    }
  }

  private async generate(request: PlaygroundRequest, prompt: string): Promise<void> {
    const token = this.begin(request);
    const { requestId } = request;
    const sides = askedSides(request);
    for (const side of sides) this.answers.set(side, { requestId, side, text: '', end: null });
    await this.services.history.add(prompt);
    this.sendHistory();
    for (const side of sides) await this.generateSide(request, side, prompt, token);
  }

  /** Cancels the previous request and forgets its answers. */
  private begin({ requestId }: PlaygroundRequest): vscode.CancellationToken {
    this.generating?.cancel.cancel();
    const cancel = new vscode.CancellationTokenSource();
    this.generating = { requestId, cancel };
    this.answers.clear();
    this.batch = undefined;
    return cancel.token;
  }

  private async generateSide(
    request: PlaygroundRequest,
    side: PlaygroundSide,
    prompt: string,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const address = { requestId: request.requestId, side };
    const hear = (text: string) => {
      this.note(address, (answer) => ({ ...answer, text: answer.text + text }));
      this.session.post({ type: 'token', ...address, text });
    };
    try {
      const summary = await this.services.streams.generate(variantRequest(request, side, prompt), hear, token);
      this.note(address, (answer) => ({ ...answer, end: { kind: 'generated', summary } }));
      this.session.post({ type: 'generated', ...address, summary });
      setContext({ hasShownAnswers: true });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.note(address, (answer) => ({ ...answer, end: { kind: 'failed', message } }));
      this.session.post({ type: 'generateFailed', ...address, message });
    }
  }

  /** Records what has arrived, unless another request was made meanwhile. */
  private note(
    { requestId, side }: Pick<PlaygroundAnswer, 'requestId' | 'side'>,
    change: (answer: PlaygroundAnswer) => PlaygroundAnswer,
  ): void {
    const answer = this.answers.get(side);
    if (answer?.requestId === requestId) this.answers.set(side, change(answer));
  }

  private async generateFile(request: PlaygroundRequest): Promise<void> {
    const uri = await chooseUri('file', {
      title: vscode.l10n.t('Prompts: text with one per line, or JSONL with prompt or messages'),
      filters: { [vscode.l10n.t('Prompts')]: ['txt', 'jsonl', 'ndjson'] },
    });
    const prompts = uri && (await readPrompts(uri));
    if (!prompts) return;
    const token = this.begin(request);
    const batch = new PromptBatch(request, nameOf(uri), prompts, (message) => {
      if (this.batch === batch) this.session.post(message);
    });
    this.showBatch(batch);
    await batch.run(this.services.streams, token);
  }

  private showBatch(batch: PromptBatch | undefined): void {
    this.batch = batch;
    this.session.post({ type: 'batch', batch: batch?.state() ?? null });
  }

  private async saveBatch(): Promise<void> {
    const { batch } = this;
    if (!batch) return;
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const name = `${batch.file.replace(/\.[^.]+$/, '')}-answers.jsonl`;
    const target = await vscode.window.showSaveDialog({
      filters: { JSONL: ['jsonl'] },
      ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, name) } : {}),
    });
    if (target) await vscode.workspace.fs.writeFile(target, Buffer.from(batch.jsonLines()));
  }

  private sendHistory(): void {
    this.session.post({ type: 'history', history: this.services.history.list() });
  }

  private async browseAdapter(side: PlaygroundSide): Promise<void> {
    const folder = await chooseUri('folder');
    if (folder) this.session.post({ type: 'adapterChosen', side, adapter: folder.fsPath });
  }
}

const maxPromptFileBytes = 4 << 20;
const maxPrompts = 1000;

/** Returns undefined, after showing an error, if the file contains no usable prompts. */
async function readPrompts(uri: vscode.Uri): Promise<readonly FilePrompt[] | undefined> {
  const name = nameOf(uri);
  const refuse = (message: string) => void vscode.window.showErrorMessage(message);
  if ((await vscode.workspace.fs.stat(uri)).size > maxPromptFileBytes) {
    return refuse(vscode.l10n.t('{0} is over 4 MB, too large for a list of prompts. Use a part of it.', name));
  }
  const content = Buffer.from(await vscode.workspace.fs.readFile(uri)).toString('utf8');
  try {
    const prompts = parsePrompts(content, /\.(jsonl|ndjson)$/i.test(name) ? 'jsonl' : 'text');
    if (prompts.length === 0) return refuse(vscode.l10n.t('{0} contains no prompts. Write one on each line.', name));
    if (prompts.length > maxPrompts) {
      return refuse(
        vscode.l10n.t(
          '{0} contains {1} prompts; at most {2} can be answered at once. Split the file.',
          name,
          prompts.length,
          maxPrompts,
        ),
      );
    }
    return prompts;
  } catch (error) {
    if (!(error instanceof UnreadableLine)) throw error;
    return refuse(
      vscode.l10n.t('{0}:{1} contains no prompt. Each line of JSONL is an object with "prompt" or "messages".', name, error.line),
    );
  }
}

function nameOf(uri: vscode.Uri): string {
  return uri.path.split('/').at(-1) ?? uri.path;
}
