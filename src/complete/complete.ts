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
  /** What of the last prompt may be used again, as in GenerateRequest; `all`, the default, suggests earliest. */
  readonly reuse?: 'exact' | 'all';
}

/** A suggestion; `endedBy` tells what ended the text: the model itself, the stop rules, or maxNewTokens. Null: nothing was written. */
export interface Completion extends Insertion {
  readonly endedBy: 'model' | 'rule' | 'length' | null;
}

/** Longer contexts make the first suggestion slow and rarely better. */
const maxContext = 1024;

/** What the model would write at the cursor with greedy sampling; empty if it suggests nothing or was cancelled. */
export async function complete(request: CompletionRequest, signal: AbortSignal): Promise<Completion> {
  for (const typed of unsettledEnds(request.prefix)) {
    const written = await writeOn(request, typed, signal);
    if (signal.aborted) break;
    if (written) return { ...insertion(request.prefix, request.suffix, written.text), endedBy: written.endedBy };
  }
  return { ...nothing, endedBy: null };
}

/** The tokens that a prompt may have if the model is to write, or to read, so many behind it. */
export function promptBudget({ contextLength }: TextModel, behind: number): number {
  return Math.max(1, Math.min(maxContext, contextLength - behind));
}

interface Written {
  readonly text: string;
  readonly endedBy: NonNullable<Completion['endedBy']>;
}

/** Lets the model write the `typed` end of the prefix again. Returns what follows, or undefined if it writes something else. */
async function writeOn(request: CompletionRequest, typed: string, signal: AbortSignal): Promise<Written | undefined> {
  const { model, tokenizer, adapter, adapterStrength, format, prefix, maxNewTokens, reuse } = request;
  const budget = promptBudget(model, maxNewTokens);
  const settled = prefix.slice(0, prefix.length - typed.length);
  const promptIds = completionPrompt(tokenizer, format, { ...request, prefix: settled }, budget);
  if (promptIds.length === 0) return undefined;
  const mode = chooseMode(prefix, request.mode);
  const decoder = tokenizer.streamDecoder({ skipSpecialTokens: true, continuation: true });
  const ends = completionEnds(tokenizer, format);
  const stops = new StopStrings(ends.texts);
  let text = '';
  let end: number | undefined;
  let marked = false;
  const generation = {
    promptIds,
    adapter,
    adapterStrength,
    sampling: greedy,
    maxNewTokens,
    endIds: ends.ids,
    reuse: reuse ?? 'all',
    signal,
  };
  const { finishReason } = await model.generate(generation, (id) => {
    const written = stops.push(decoder.push(id));
    text += written.text;
    marked = written.stopped;
    if (signal.aborted || written.stopped || !agree(text, typed)) return false;
    end = stopAt(text.slice(typed.length), prefix, mode);
    return end === undefined;
  });
  // Otherwise the text held back may be the beginning of a marker.
  if (finishReason === 'end') text += stops.end();
  if (!text.startsWith(typed)) return undefined;
  const ended = finishReason === 'end' || marked ? 'model' : 'length';
  return { text: text.slice(typed.length).slice(0, end), endedBy: end === undefined ? ended : 'rule' };
}

function agree(text: string, typed: string): boolean {
  return text.startsWith(typed) || typed.startsWith(text);
}
