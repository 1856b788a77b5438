import type { Written } from '../core/generate/writeText.js';

/** OpenAI's count of tokens. */
export function usageOf({ promptTokens, newTokens, reusedTokens }: Written): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: newTokens,
    total_tokens: promptTokens + newTokens,
    prompt_tokens_details: { cached_tokens: reusedTokens },
  };
}

/** OpenAI's word for why a text ended; a cancelled one reaches nobody. */
export function finishReasonOf({ finishReason }: Written): 'length' | 'stop' {
  return finishReason === 'length' ? 'length' : 'stop';
}
