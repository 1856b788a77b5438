import type { Adapter } from '../core/adapters/peft.js';
import { greedy } from '../core/generate/sampling.js';
import type { TextModel } from '../core/generate/textModel.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { completionPrompt, type CursorContext } from './context.js';
import { chooseMode, stopAt, trimCompletion, type StopMode } from './stopRules.js';

export interface CompletionRequest extends CursorContext {
  readonly model: TextModel;
  readonly tokens: Tokenizer;
  readonly adapter: Adapter | null;
  readonly adapterStrength: number;
  readonly mode: 'auto' | StopMode;
  readonly maxNewTokens: number;
}

/** Longer contexts make the first suggestion slow and rarely better. */
const mostContext = 1024;

/** What the model would write at the cursor, greedily; empty where it has nothing to say or was cancelled. */
export async function complete(request: CompletionRequest, signal: AbortSignal): Promise<string> {
  const { model, tokens, adapter, adapterStrength, prefix, suffix, maxNewTokens } = request;
  const budget = Math.max(1, Math.min(mostContext, model.contextLength - maxNewTokens));
  const { ids, endIds } = completionPrompt(tokens, { prefix, suffix }, budget);
  if (ids.length === 0) return '';
  const mode = chooseMode(prefix, request.mode);
  const decoder = tokens.streamDecoder({ skipSpecialTokens: true, continuation: true });
  let text = '';
  let end: number | undefined;
  const generation = {
    promptIds: ids,
    adapter,
    adapterStrength,
    sampling: greedy,
    maxNewTokens,
    endIds: [...tokens.stopIds, ...endIds],
  };
  await model.generate(generation, (id) => {
    text += decoder.push(id);
    end = stopAt(text, prefix, mode);
    return end === undefined && !signal.aborted;
  });
  return signal.aborted ? '' : trimCompletion(text.slice(0, end), suffix);
}
