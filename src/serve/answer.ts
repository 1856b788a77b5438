import { writeText, type OnText, type WriteRequest, type Written, type WrittenToken } from '../core/generate/writeText.js';
import type { ReadyModel } from '../inference/textModels.js';
import type { Exchange } from './exchange.js';
import { HttpError } from './httpError.js';
import type { Service } from './service.js';
import type { ServedModel } from './servedModels.js';

export interface Answer {
  /** What the model reads, and how it writes. */
  readonly request: Omit<WriteRequest, 'adapter' | 'adapterStrength'>;
  /** Its text in the words of a protocol. */
  readonly format: AnswerFormat;
}

export interface AnswerFormat {
  whole(written: Written, tokens: readonly WrittenToken[]): object;
  /** The events of a stream: those before the first piece of text, each piece, and those after the last. */
  readonly opening: readonly object[];
  piece(text: string, tokens: readonly WrittenToken[]): object;
  closing(written: Written): readonly (object | string)[];
}

type Write = (onText: OnText) => Promise<Written>;

/** Writes what `prepare` makes of the client's question, until the client goes. */
export function answer(
  exchange: Exchange,
  service: Service,
  { asked, stream }: { readonly asked: ServedModel; readonly stream: boolean },
  prepare: (model: ReadyModel) => Answer,
): Promise<void> {
  return service.lend(asked, async (model, adapter) => {
    const { request, format } = prepare(model);
    checkLength(request.promptIds.length, model.textModel.contextLength);
    const { textModel, tokenizer } = model;
    const write: Write = (onText) =>
      writeText(textModel, tokenizer, { ...request, adapter, adapterStrength: 1 }, onText, exchange.signal);
    await (stream ? inPieces : asWhole)(exchange, write, format);
  });
}

async function asWhole(exchange: Exchange, write: Write, format: AnswerFormat): Promise<void> {
  const tokens: WrittenToken[] = [];
  const written = await write((_, begun) => void tokens.push(...begun));
  exchange.json(200, format.whole(written, tokens));
}

/** The first event waits for the first text, so that a refusal is still an answer of its own. */
async function inPieces(exchange: Exchange, write: Write, format: AnswerFormat): Promise<void> {
  let isOpen = false;
  const open = () => {
    if (!isOpen) format.opening.forEach((event) => exchange.event(event));
    isOpen = true;
  };
  const written = await write((text, tokens) => {
    open();
    exchange.event(format.piece(text, tokens));
  });
  open();
  format.closing(written).forEach((event) => exchange.event(event));
  exchange.endEvents();
}

/** The model checks this too, but clients know this code. */
function checkLength(promptTokens: number, contextLength: number): void {
  if (promptTokens < contextLength) return;
  const message = `The prompt has ${promptTokens} tokens; this model reads at most ${contextLength}, answer included.`;
  throw new HttpError(400, message, { code: 'context_length_exceeded' });
}
