import type { Adapter } from '../core/adapters/peft.js';
import { greedy } from '../core/generate/sampling.js';
import type { TextModel } from '../core/generate/textModel.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { completionPrompt, unsettledEnds, type CursorContext } from './context.js';
import { insertion, nothing, type Insertion } from './insertion.js';
import { chooseMode, stopAt, type StopMode } from './stopRules.js';

export interface CompletionRequest extends CursorContext {
  readonly model: TextModel;
  readonly tokenizer: Tokenizer;
  readonly adapter: Adapter | null;
  readonly adapterStrength: number;
  readonly mode: 'auto' | StopMode;
  readonly maxNewTokens: number;
}

/** Longer contexts make the first suggestion slow and rarely better. */
const mostContext = 1024;

/** What the model would write at the cursor, greedily; empty where it has nothing to say or was cancelled. */
export async function complete(request: CompletionRequest, signal: AbortSignal): Promise<Insertion> {
  for (const typed of unsettledEnds(request.prefix)) {
    const text = await writeOn(request, typed, signal);
    if (signal.aborted) return nothing;
    if (text !== undefined) return insertion(request.prefix, request.suffix, text);
  }
  return nothing;
}

/** What follows the prefix where the model itself writes the end of it that was typed; undefined where it would write another. */
async function writeOn(request: CompletionRequest, typed: string, signal: AbortSignal): Promise<string | undefined> {
  const { model, tokenizer, adapter, adapterStrength, prefix, suffix, maxNewTokens } = request;
  const budget = Math.max(1, Math.min(mostContext, model.contextLength - maxNewTokens));
  const settled = prefix.slice(0, prefix.length - typed.length);
  const { ids, endIds } = completionPrompt(tokenizer, { prefix: settled, suffix }, budget);
  if (ids.length === 0) return undefined;
  const mode = chooseMode(prefix, request.mode);
  const decoder = tokenizer.streamDecoder({ skipSpecialTokens: true, continuation: true });
  let text = '';
  let end: number | undefined;
  const generation = {
    promptIds: ids,
    adapter,
    adapterStrength,
    sampling: greedy,
    maxNewTokens,
    endIds: [...tokenizer.stopIds, ...endIds],
    reuse: 'all' as const,
  };
  await model.generate(generation, (id) => {
    text += decoder.push(id);
    if (signal.aborted || !agree(text, typed)) return false;
    end = stopAt(text.slice(typed.length), prefix, mode);
    return end === undefined;
  });
  return text.startsWith(typed) ? text.slice(typed.length).slice(0, end) : undefined;
}

function agree(text: string, typed: string): boolean {
  return text.startsWith(typed) || typed.startsWith(text);
}
