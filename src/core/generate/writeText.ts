import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { StopStrings } from './stopStrings.js';
import type { FinishReason, GenerateRequest, TextModel } from './textModel.js';

export interface WriteRequest extends Omit<GenerateRequest, 'endIds'> {
  /** Strings that end the text and are not part of it. */
  readonly stop: readonly string[];
}

export interface Written {
  readonly text: string;
  readonly finishReason: FinishReason;
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly tokensPerSecond: number;
}

/** Generates text and passes it to `onText` piece by piece. Aborting the signal ends generation after the current token. */
export async function writeText(
  model: TextModel,
  tokenizer: Tokenizer,
  { stop, ...request }: WriteRequest,
  onText: (text: string) => void,
  signal: { readonly aborted: boolean },
): Promise<Written> {
  const decoder = tokenizer.streamDecoder({ skipSpecialTokens: true, continuation: true });
  const stops = new StopStrings(stop);
  let text = '';
  let stopped = false;
  const show = (piece: string) => {
    text += piece;
    if (piece) onText(piece);
  };
  const result = await model.generate({ ...request, endIds: tokenizer.stopIds }, (id) => {
    const found = stops.push(decoder.push(id));
    show(found.text);
    stopped = found.stopped;
    return !stopped && !signal.aborted;
  });
  if (!stopped) {
    const last = stops.push(decoder.end());
    show(last.stopped ? last.text : last.text + stops.end());
  }
  return {
    text,
    finishReason: result.finishReason,
    promptTokens: request.promptIds.length,
    newTokens: result.ids.length,
    tokensPerSecond: result.ids.length / (result.promptSeconds + result.decodeSeconds),
  };
}
