import * as vscode from 'vscode';
import type { AdapterInfo, ChatMessage } from '../protocol/backend.js';
import { baseOf } from '../protocol/baseOf.js';
import type { BackendClient } from './backendClient.js';
import type { Catalog } from './catalog.js';
import type { TextStreams } from './textStreams.js';

/** How much a small model can take in, and how much it should say at once. */
const maxInputTokens = 1536;
const maxOutputTokens = 512;

interface AdapterModel extends vscode.LanguageModelChatInformation {
  readonly model: string;
  readonly adapter: string;
}

/** Offers each adapter as a model in VS Code's chat. */
export class ChatProvider implements vscode.LanguageModelChatProvider<AdapterModel> {
  readonly onDidChangeLanguageModelChatInformation: vscode.Event<void>;

  constructor(
    private readonly backend: BackendClient,
    private readonly catalog: Catalog,
    private readonly streams: TextStreams,
  ) {
    this.onDidChangeLanguageModelChatInformation = catalog.onDidChange;
  }

  async provideLanguageModelChatInformation(): Promise<AdapterModel[]> {
    if (!vscode.workspace.isTrusted) return [];
    // This method is called whenever the catalog changes, so it must not change the catalog.
    await this.catalog.loaded();
    return this.catalog.adapters.flatMap((adapter) => this.describe(adapter) ?? []);
  }

  async provideLanguageModelChatResponse(
    { model, adapter }: AdapterModel,
    messages: readonly vscode.LanguageModelChatRequestMessage[],
    _options: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1.1, seed: 1337 };
    const prompt = { kind: 'chat' as const, messages: messages.map(chatMessage) };
    const request = { model, adapter, adapterStrength: 1, prompt, sampling, maxNewTokens: maxOutputTokens };
    await this.streams.generate(request, (text) => progress.report(new vscode.LanguageModelTextPart(text)), token);
  }

  async provideTokenCount({ model }: AdapterModel, text: string | vscode.LanguageModelChatRequestMessage): Promise<number> {
    const content = typeof text === 'string' ? text : chatMessage(text).content;
    return (await (await this.backend.ready()).request('loraWorkbench/tokenCount', { model, text: content })).tokens;
  }

  /** Returns undefined for an adapter whose base model is missing, because it cannot answer. */
  private describe(adapter: AdapterInfo): AdapterModel | undefined {
    const model = baseOf(adapter, this.catalog.models);
    if (!model) return undefined;
    return {
      id: adapter.path,
      name: adapter.name,
      family: model.name,
      version: '1',
      detail: model.name,
      tooltip: vscode.l10n.t('{0} with the adapter {1}', model.name, adapter.path),
      maxInputTokens,
      maxOutputTokens,
      capabilities: {},
      model: model.path,
      adapter: adapter.path,
    };
  }
}

function chatMessage({ role, content }: vscode.LanguageModelChatRequestMessage): ChatMessage {
  const texts = content.filter((part) => part instanceof vscode.LanguageModelTextPart).map(({ value }) => value);
  return { role: role === vscode.LanguageModelChatMessageRole.Assistant ? 'assistant' : 'user', content: texts.join('') };
}
