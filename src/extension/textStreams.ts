import type * as vscode from 'vscode';
import type { GenerateParams, GenerateSummary } from '../protocol/backend.js';
import type { BackendClient } from './backendClient.js';

const nothingWritten: GenerateSummary = { tokens: 0, tokensPerSecond: 0, firstTokenMs: 0, reason: 'stopped', template: 'none' };

/** Streams text as it is generated; each request has its own stream. */
export class TextStreams {
  private readonly listeners = new Map<string, (text: string) => void>();
  private lastStream = 0;

  constructor(private readonly backend: BackendClient) {
    backend.handle('loraWorkbench/generate/token', ({ streamId, text }) => this.listeners.get(streamId)?.(text));
  }

  async generate(
    params: Omit<GenerateParams, 'streamId'>,
    onText: (text: string) => void,
    token: vscode.CancellationToken,
  ): Promise<GenerateSummary> {
    const streamId = `stream-${++this.lastStream}`;
    this.listeners.set(streamId, onText);
    try {
      return await (await this.backend.ready()).request('loraWorkbench/generate', { ...params, streamId }, token);
    } catch (error) {
      // The language client rejects a request that was cancelled before it was sent, as if something had gone wrong.
      if (token.isCancellationRequested) return nothingWritten;
      throw error;
    } finally {
      this.listeners.delete(streamId);
    }
  }
}
