import type * as vscode from 'vscode';
import type {
  Batch,
  BatchAnswer,
  BatchRow,
  PlaygroundRequest,
  PlaygroundSide,
  ToPlayground,
} from '../protocol/views/playground.js';
import { promptText, type FilePrompt } from './promptFile.js';
import type { TextStreams } from './textStreams.js';
import { askedSides, variantRequest } from './variantRequest.js';

/** The prompts of a file, each answered by both columns before the next one starts. */
export class PromptBatch {
  private readonly rows: BatchRow[];
  private running = true;

  constructor(
    private readonly request: PlaygroundRequest,
    readonly file: string,
    private readonly prompts: readonly FilePrompt[],
    private readonly post: (message: ToPlayground) => void,
  ) {
    this.rows = prompts.map((prompt) => ({ prompt: promptText(prompt), left: null, right: null }));
  }

  state(): Batch {
    const { requestId, left, right } = this.request;
    return { requestId, file: this.file, left, right, rows: this.rows, running: this.running };
  }

  async run(streams: TextStreams, token: vscode.CancellationToken): Promise<void> {
    for (const [row, prompt] of this.prompts.entries()) {
      for (const side of askedSides(this.request)) {
        const answer = await this.answer(streams, prompt, side, token);
        if (token.isCancellationRequested) return this.end();
        this.rows[row] = { ...this.rows[row]!, [side]: answer };
        this.post({ type: 'batchAnswer', requestId: this.request.requestId, row, side, answer });
      }
    }
    this.end();
  }

  /** One line for each prompt, with the answers so far. */
  jsonLines(): string {
    return this.prompts.map((prompt, row) => `${JSON.stringify(this.line(prompt, this.rows[row]!))}\n`).join('');
  }

  private line(prompt: FilePrompt, row: BatchRow): unknown {
    const { model } = this.request;
    const answers = askedSides(this.request).map((side) => {
      const [{ adapter, strength }, answer] = [this.request[side]!, row[side]];
      const text = answer?.kind === 'text' ? answer.text : null;
      return {
        model,
        adapter,
        ...(adapter === null ? {} : { strength }),
        text,
        ...(answer?.kind === 'failed' ? { error: answer.message } : {}),
      };
    });
    return { ...(typeof prompt === 'string' ? { prompt } : { messages: prompt }), answers };
  }

  private async answer(
    streams: TextStreams,
    prompt: FilePrompt,
    side: PlaygroundSide,
    token: vscode.CancellationToken,
  ): Promise<BatchAnswer> {
    let text = '';
    try {
      await streams.generate(variantRequest(this.request, side, prompt), (piece) => (text += piece), token);
      return { kind: 'text', text };
    } catch (error) {
      return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  }

  private end(): void {
    this.running = false;
    this.post({ type: 'batchEnded', requestId: this.request.requestId });
  }
}
