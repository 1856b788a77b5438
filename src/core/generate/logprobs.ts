/** A token and the natural logarithm of the probability that the model gives it. */
export interface LikelyToken {
  readonly id: number;
  readonly logprob: number;
}

/** How likely a token was, and the most likely tokens at its place, most likely first. */
export interface TokenLogprobs extends LikelyToken {
  readonly top: readonly LikelyToken[];
}

/** By the model's own logits [V], before any sampling filter. */
export function tokenLogprobs(logits: Float32Array, id: number, topCount: number): TokenLogprobs {
  const largest = logits.reduce((before, logit) => Math.max(before, logit));
  const logSum = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  const likely = (each: number): LikelyToken => ({ id: each, logprob: logits[each]! - logSum });
  return { ...likely(id), top: largestIndices(logits, topCount).map(likely) };
}

/** The indices of the largest values, largest first; of equal ones, the earlier first. */
function largestIndices(values: Float32Array, count: number): readonly number[] {
  const found: number[] = [];
  if (count === 0) return found;
  for (let index = 0; index < values.length; index++) {
    if (found.length === count && values[index]! <= values[found.at(-1)!]!) continue;
    const place = found.findIndex((other) => values[index]! > values[other]!);
    found.splice(place < 0 ? found.length : place, 0, index);
    if (found.length > count) found.pop();
  }
  return found;
}
