import type { Cancellation } from '../cancellation.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import type { TokenLogprobs } from './logprobs.js';
import { StopStrings } from './stopStrings.js';
import type { GenerateRequest, GenerateResult, TextModel } from './textModel.js';

export interface WriteRequest extends Omit<GenerateRequest, 'endIds' | 'signal'> {
  /** Strings that end the text and are not part of it. */
  readonly stop: readonly string[];
  /** Ids that end the text and are not part of it; by default those that end any text of the model. */
  readonly endIds?: readonly number[];
  /** Asked after every token; returns where the text ends, or undefined while it goes on. */
  readonly endsAt?: (text: string) => number | undefined;
}

export interface Written extends Pick<GenerateResult, 'finishReason' | 'reusedTokens' | 'promptSeconds' | 'decodeSeconds'> {
  readonly text: string;
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly tokensPerSecond: number;
}

/** A token of the text that was asked for with its probability. */
export interface WrittenToken extends TokenLogprobs {
  /** Where in the text it begins. */
  readonly offset: number;
}

/** Receives the text piece by piece, with the tokens that begin in the piece if their probabilities were asked for. */
export type OnText = (text: string, tokens: readonly WrittenToken[]) => void;

/** Generates text. Aborting the signal ends generation after the current token. */
export async function writeText(
  model: TextModel,
  tokenizer: Tokenizer,
  { stop, endsAt, ...request }: WriteRequest,
  onText: OnText,
  signal?: Cancellation,
): Promise<Written> {
  const decoder = tokenizer.streamDecoder({ skipSpecialTokens: true, continuation: true });
  const stops = new StopStrings(stop);
  const pending: WrittenToken[] = [];
  let [text, decodedLength, stopped] = ['', 0, false];
  const show = (piece: string) => {
    text += piece;
    const begun = pending.findIndex(({ offset }) => offset >= text.length);
    if (piece) onText(piece, pending.splice(0, begun < 0 ? pending.length : begun));
  };
  const result = await model.generate({ endIds: tokenizer.stopIds, ...request, signal }, (id, logprobs) => {
    if (logprobs) pending.push({ ...logprobs, offset: decodedLength });
    const piece = decoder.push(id);
    decodedLength += piece.length;
    const found = stops.push(piece);
    const end = endsAt?.(text + found.text);
    show(end === undefined ? found.text : found.text.slice(0, Math.max(0, end - text.length)));
    stopped = found.stopped || end !== undefined;
    return !stopped;
  });
  if (!stopped) {
    const last = stops.push(decoder.end());
    show(last.stopped ? last.text : last.text + stops.end());
  }
  const { ids, ...measured } = result;
  return {
    text,
    ...measured,
    promptTokens: request.promptIds.length,
    newTokens: ids.length,
    tokensPerSecond: ids.length / (result.promptSeconds + result.decodeSeconds),
  };
}
