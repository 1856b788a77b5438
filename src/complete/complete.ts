import type { Adapter } from '../core/adapters/peft.js';
import { greedy } from '../core/generate/sampling.js';
import { StopStrings } from '../core/generate/stopStrings.js';
import type { TextModel } from '../core/generate/textModel.js';
import type { FillInTheMiddleFormat } from '../core/tokenizer/fillInTheMiddleFormats.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { completionPrompt, unsettledEnds, type CursorContext } from './context.js';
import { completionEnds } from './ends.js';
import { insertion, nothing, type Insertion } from './insertion.js';
import { chooseMode, stopAt, type StopMode } from './stopRules.js';

export interface CompletionRequest extends CursorContext {
  readonly model: TextModel;
  readonly tokenizer: Tokenizer;
  readonly adapter: Adapter | null;
  readonly adapterStrength: number;
  /** null means that the model reads only the text before the cursor. */
  readonly format: FillInTheMiddleFormat | null;
  readonly mode: 'auto' | StopMode;
  readonly maxNewTokens: number;
}

/** Longer contexts make the first suggestion slow and rarely better. */
const maxContext = 1024;

/** What the model would write at the cursor with greedy sampling; empty if it suggests nothing or was cancelled. */
export async function complete(request: CompletionRequest, signal: AbortSignal): Promise<Insertion> {
  for (const typed of unsettledEnds(request.prefix)) {
    const text = await writeOn(request, typed, signal);
    if (signal.aborted) return nothing;
    if (text !== undefined) return insertion(request.prefix, request.suffix, text);
  }
  return nothing;
}

/** Lets the model write the `typed` end of the prefix again. Returns what follows, or undefined if it writes something else. */
async function writeOn(request: CompletionRequest, typed: string, signal: AbortSignal): Promise<string | undefined> {
  const { model, tokenizer, adapter, adapterStrength, format, prefix, maxNewTokens } = request;
  const budget = Math.max(1, Math.min(maxContext, model.contextLength - maxNewTokens));
  const settled = prefix.slice(0, prefix.length - typed.length);
  const promptIds = completionPrompt(tokenizer, format, { ...request, prefix: settled }, budget);
  if (promptIds.length === 0) return undefined;
  const mode = chooseMode(prefix, request.mode);
  const decoder = tokenizer.streamDecoder({ skipSpecialTokens: true, continuation: true });
  const ends = completionEnds(tokenizer, format);
  const stops = new StopStrings(ends.texts);
  let text = '';
  let end: number | undefined;
  const generation = {
    promptIds,
    adapter,
    adapterStrength,
    sampling: greedy,
    maxNewTokens,
    endIds: ends.ids,
    reuse: 'all' as const,
    signal,
  };
  const { finishReason } = await model.generate(generation, (id) => {
    const written = stops.push(decoder.push(id));
    text += written.text;
    if (signal.aborted || written.stopped || !agree(text, typed)) return false;
    end = stopAt(text.slice(typed.length), prefix, mode);
    return end === undefined;
  });
  // Otherwise the text held back may be the beginning of a marker.
  if (finishReason === 'end') text += stops.end();
  return text.startsWith(typed) ? text.slice(typed.length).slice(0, end) : undefined;
}

function agree(text: string, typed: string): boolean {
  return text.startsWith(typed) || typed.startsWith(text);
}
