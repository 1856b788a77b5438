import type { CancellationToken } from 'vscode-languageserver/node';
import { complete } from '../complete/complete.js';
import { encodeChat, encodePrompt, templateFor } from '../runs/promptTemplate.js';
import { writeText } from '../core/generate/writeText.js';
import { chooseFillInTheMiddle } from '../core/tokenizer/fillInTheMiddle.js';
import type { GenerateParams, GenerateSummary, PromptTemplate } from '../protocol/backend.js';
import { abortSignal } from './abortSignal.js';
import { withErrorResponses } from './errorResponses.js';
import { TextModels, type ReadyModel } from './textModels.js';
import { parentConnection } from './workerConnection.js';
import {
  completeRequest,
  engineNotification,
  generateRequest,
  tokenNotification,
  type CompleteParams,
  type Completed,
} from './workerProtocol.js';

/** Serves text generation in a separate process: requests run one after another, each cancellable between two tokens. */
export function serveGenerate(): void {
  const connection = parentConnection();
  const models = new TextModels({ device: 'auto', threads: null });
  let queue: Promise<unknown> = Promise.resolve();
  /** The model handles one request at a time; a request cancelled while waiting is never started. */
  const enqueue = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = queue.then(withErrorResponses(work));
    queue = result.catch(() => undefined);
    return result;
  };

  connection.onNotification(engineNotification, (engine) => void enqueue(() => models.configure(engine)).catch(() => undefined));
  connection.onRequest(generateRequest, (params, token) =>
    enqueue(() =>
      generate(
        models,
        params,
        token,
        (text) => void connection.sendNotification(tokenNotification, { streamId: params.streamId, text }),
      ),
    ),
  );
  connection.onRequest(completeRequest, (params, token) =>
    enqueue(async () => (token.isCancellationRequested ? null : completeWith(models, params, token))),
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
  if (token.isCancellationRequested)
    return { tokens: 0, tokensPerSecond: 0, firstTokenMs: 0, reason: 'stopped', template: 'none' };
  const { template, ...written } = await models.use(params.model, async (model) => {
    const { sampling, maxNewTokens, adapterStrength } = params;
    const adapter = models.adapter(model, params.adapter);
    const { ids: promptIds, template } = readPrompt(model, params);
    const request = { promptIds, adapter, adapterStrength, sampling, maxNewTokens, stop: [] };
    const hear = (text: string) => {
      firstTokenMs ??= performance.now() - started;
      onText(text);
    };
    return { ...(await writeText(model.textModel, model.tokenizer, request, hear, abortSignal(token))), template };
  });
  return {
    tokens: written.newTokens,
    tokensPerSecond: written.tokensPerSecond,
    firstTokenMs: firstTokenMs ?? performance.now() - started,
    reason: written.finishReason,
    template,
  };
}

function readPrompt(
  { tokenizer }: ReadyModel,
  { prompt }: GenerateParams,
): { readonly ids: readonly number[]; readonly template: PromptTemplate } {
  if (prompt.kind === 'text') {
    const template = prompt.template === 'auto' ? templateFor(tokenizer, prompt.adapter ?? undefined) : prompt.template;
    return { ids: encodePrompt(tokenizer, prompt, template), template };
  }
  if (tokenizer.hasChatTemplate) return { ids: encodeChat(tokenizer, prompt.messages), template: 'chat' };
  // Without a chat template, the messages are simply joined one after another.
  return { ids: [...tokenizer.encode(prompt.messages.map(({ content }) => content).join('\n\n'))], template: 'none' };
}

async function completeWith(models: TextModels, params: CompleteParams, token: CancellationToken): Promise<Completed> {
  return models.use(params.model, async (model) => {
    const adapter = models.adapter(model, params.adapter);
    const { textModel, tokenizer } = model;
    const format = chooseFillInTheMiddle(tokenizer, params.fillInTheMiddle);
    const insertion = await complete({ ...params, model: textModel, tokenizer, adapter, format }, abortSignal(token));
    return { ...insertion, fillInTheMiddle: format?.name ?? null, engine: model.textModel.description, warning: model.warning() };
  });
}
