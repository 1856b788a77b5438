import { complete } from '../complete/complete.js';
import { othersFor } from '../complete/retrieval/retrieve.js';
import { encodeMessages, encodePrompt, templateFor, type EncodedPrompt } from '../runs/promptTemplate.js';
import { writeText } from '../core/generate/writeText.js';
import { fillInTheMiddleWith } from '../files/taughtMarkers.js';
import type { GenerateParams, GenerateSummary } from '../protocol/backend.js';
import { abortSignal } from './abortSignal.js';
import { withErrorResponses } from './errorResponses.js';
import { TextModels, type ReadyModel } from '../inference/textModels.js';
import { parentConnection } from './workerConnection.js';
import {
  completeRequest,
  engineNotification,
  generateRequest,
  tokenNotification,
  type CompleteParams,
  type Completed,
} from './workerProtocol.js';

/** Serves text generation in a separate process: requests share the model in turns, each cancellable between two tokens. */
export function serveGenerate(): void {
  const connection = parentConnection();
  const models = new TextModels({ device: 'auto', threads: null });

  connection.onNotification(engineNotification, (engine) => void models.configure(engine));
  connection.onRequest(
    generateRequest,
    withErrorResponses((params, token) =>
      generate(
        models,
        params,
        abortSignal(token),
        (text) => void connection.sendNotification(tokenNotification, { streamId: params.streamId, text }),
      ),
    ),
  );
  connection.onRequest(
    completeRequest,
    withErrorResponses((params, token) => completeWith(models, params, abortSignal(token))),
  );
  connection.listen();
}

async function generate(
  models: TextModels,
  params: GenerateParams,
  signal: AbortSignal,
  onText: (text: string) => void,
): Promise<GenerateSummary> {
  const started = performance.now();
  let firstTokenMs: number | undefined;
  const { template, ...written } = await models.use(params.model, async (model) => {
    const { sampling, maxNewTokens, adapterStrength } = params;
    const adapter = models.adapter(model, params.adapter);
    const { ids: promptIds, template } = readPrompt(model, params);
    const request = { promptIds, adapter, adapterStrength, sampling, maxNewTokens, stop: [] };
    const hear = (text: string) => {
      firstTokenMs ??= performance.now() - started;
      onText(text);
    };
    return { ...(await writeText(model.textModel, model.tokenizer, request, hear, signal)), template };
  });
  return {
    tokens: written.newTokens,
    tokensPerSecond: written.tokensPerSecond,
    firstTokenMs: firstTokenMs ?? performance.now() - started,
    reason: written.finishReason,
    template,
  };
}

function readPrompt({ tokenizer }: ReadyModel, { prompt }: GenerateParams): EncodedPrompt {
  if (prompt.kind === 'chat') return encodeMessages(tokenizer, prompt.messages);
  const template = prompt.template === 'auto' ? templateFor(tokenizer, prompt.adapter ?? undefined) : prompt.template;
  return { ids: encodePrompt(tokenizer, prompt, template), template };
}

async function completeWith(models: TextModels, params: CompleteParams, signal: AbortSignal): Promise<Completed | null> {
  return models.use(params.model, async (model) => {
    if (signal.aborted) return null;
    const adapter = models.adapter(model, params.adapter);
    const { textModel, tokenizer } = model;
    const format = fillInTheMiddleWith(params.adapter, tokenizer, params.fillInTheMiddle);
    const { others: found, ...asked } = params;
    const { others } = othersFor(format, found);
    const request = { ...asked, ...(others && { others }), model: textModel, tokenizer, adapter, format };
    const insertion = await complete(request, signal);
    return {
      ...insertion,
      fillInTheMiddle: format?.name ?? null,
      retrieved: others?.length ?? 0,
      engine: textModel.description,
      warning: model.warning(),
    };
  });
}
