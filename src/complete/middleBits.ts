import { PartEncoder } from '../core/tokenizer/partEncoder.js';
import { promptBudget, type CompletionRequest } from './complete.js';
import { completionPrompt } from './context.js';

/**
 * The bits that the model needs to write `middle` at the cursor: −log2 of its probability, without that of its end. The prompt is
 * the one of a suggestion, except that the text before the cursor is never cut back to a place between words.
 */
export async function middleBits(
  request: Omit<CompletionRequest, 'mode' | 'reuse'>,
  middle: string,
  signal: AbortSignal,
): Promise<number> {
  const { model, tokenizer, format, adapter, adapterStrength, maxNewTokens } = request;
  const ids = new PartEncoder(tokenizer, format).onwards(middle);
  const promptIds = completionPrompt(tokenizer, format, request, promptBudget(model, Math.max(maxNewTokens, ids.length)));
  const logprobs = await model.logprobs({ promptIds, adapter, adapterStrength, signal }, ids);
  return logprobs.reduce((sum, logprob) => sum - logprob / Math.LN2, 0);
}
