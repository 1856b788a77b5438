import type { CancellationToken } from 'vscode-languageserver/node';
import { complete } from '../complete/complete.js';
import { encodePrompt, templateFor } from '../runs/promptTemplate.js';
import { writeText } from '../complete/writeText.js';
import type { GenerateParams, GenerateSummary } from '../protocol/backend.js';
import { abortSignal } from './abortSignal.js';
import { rethrowForPeople } from './preflightWorker.js';
import { TextModels, type ReadyModel } from './textModels.js';
import { parentConnection } from './workerConnection.js';
import { completeRequest, engineRequest, generateRequest, tokenNotification, type CompleteParams } from './workerProtocol.js';

/** Text generation in a process of its own: requests one after another, each cancellable between two tokens. */
export function serveGenerate(): void {
  const connection = parentConnection();
  const models = new TextModels({ device: 'auto', threads: null });
  let queue: Promise<unknown> = Promise.resolve();
  /** The model computes one thing at a time; what was cancelled while it waited is not begun. */
  const enqueue = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = queue.then(work).catch(rethrowForPeople);
    queue = result.catch(() => undefined);
    return result;
  };

  connection.onRequest(engineRequest, (engine) => enqueue(async () => (await models.configure(engine), null)));
  connection.onRequest(generateRequest, (params, token) =>
    enqueue(() => generate(models, params, token, (text) => void connection.sendNotification(tokenNotification, { streamId: params.streamId, text }))),
  );
  connection.onRequest(completeRequest, (params, token) =>
    enqueue(async () => (token.isCancellationRequested ? '' : completeWith(models, params, token))),
  );
  connection.listen();
}

async function generate(
  models: TextModels,
  params: GenerateParams,
  token: CancellationToken,
  onText: (text: string) => void,
): Promise<GenerateSummary> {
  const started = performance.now();
  let firstTokenMs: number | undefined;
  if (token.isCancellationRequested) return { tokens: 0, tokensPerSecond: 0, firstTokenMs: 0, reason: 'stopped' };
  const model = await models.model(params.model);
  const { sampling, maxNewTokens, adapterStrength } = params;
  const adapter = models.adapter(model, params.adapter);
  const promptIds = promptTokens(model, params);
  const request = { promptIds, adapter, adapterStrength, sampling, maxNewTokens, stop: [] };
  const written = await writeText(
    model.text,
    model.tokens,
    request,
    (text) => {
      firstTokenMs ??= performance.now() - started;
      onText(text);
    },
    abortSignal(token),
  );
  return {
    tokens: written.newTokens,
    tokensPerSecond: written.tokensPerSecond,
    firstTokenMs: firstTokenMs ?? performance.now() - started,
    reason: written.finishReason,
  };
}

function promptTokens({ tokens }: ReadyModel, { prompt }: GenerateParams): readonly number[] {
  switch (prompt.kind) {
    case 'plain':
      return encodePrompt(tokens, prompt, 'none');
    case 'dressed':
      return encodePrompt(tokens, prompt, templateFor(tokens, prompt.adapter ?? undefined));
    case 'chat': {
      // Without a chat template a conversation is its texts one after another.
      if (!tokens.hasChatTemplate) return [...tokens.encode(prompt.messages.map(({ content }) => content).join('\n\n'))];
      const text = tokens.applyChatTemplate(prompt.messages, { addGenerationPrompt: true });
      return [...tokens.encode(text, { addSpecialTokens: false })];
    }
  }
}

async function completeWith(models: TextModels, params: CompleteParams, token: CancellationToken): Promise<string> {
  const model = await models.model(params.model);
  const adapter = models.adapter(model, params.adapter);
  return complete({ ...params, model: model.text, tokens: model.tokens, adapter }, abortSignal(token));
}
