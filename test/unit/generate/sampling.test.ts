import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { greedy, Sampler, type Sampling } from '../../../src/core/generate/sampling.js';

/** Made by test/golden/make_sampling.py from the logits processors that transformers' generate chains. */
interface Distribution {
  readonly settings: Record<'temperature' | 'top_k' | 'top_p' | 'min_p' | 'repetition_penalty', number>;
  readonly logits: number[];
  readonly previous: number[];
  readonly probabilities: number[];
}
const { distributions } = JSON.parse(readFileSync('test/golden/sampling.json', 'utf8')) as { distributions: Distribution[] };

const settingsOf = ({ settings }: Distribution): Omit<Sampling, 'seed'> => ({
  temperature: settings.temperature,
  topK: settings.top_k,
  topP: settings.top_p,
  minP: settings.min_p,
  repetitionPenalty: settings.repetition_penalty,
});

/** How often each token is drawn in `draws` draws. */
function frequencies(sampling: Sampling, { logits, previous }: Distribution, draws: number): number[] {
  const counts = logits.map(() => 0);
  const sampler = new Sampler(sampling);
  for (let i = 0; i < draws; i++) counts[sampler.next(Float32Array.from(logits), previous)]!++;
  return counts;
}

describe('tokens are drawn with the probabilities of transformers', () => {
  test.each(distributions.map((each) => [JSON.stringify(each.settings), each] as const))('%s', (_, each) => {
    const draws = 20_000;
    const counts = frequencies({ ...settingsOf(each), seed: 1 }, each, draws);
    each.probabilities.forEach((probability, id) => {
      // Allow five standard deviations, plus one token for rare ones; tokens that are filtered out are never drawn.
      const tolerance = probability === 0 ? 0 : 1 + 5 * Math.sqrt(draws * probability * (1 - probability));
      expect(Math.abs(counts[id]! - draws * probability), `token ${id}`).toBeLessThanOrEqual(tolerance);
    });
  });
});

test('the seed decides: equal seeds draw alike, others do not, and greedy ignores it', () => {
  const [each] = distributions as [Distribution];
  const draw = (seed: number, temperature: number) => {
    const sampler = new Sampler({ ...greedy, temperature, seed });
    return Array.from({ length: 20 }, () => sampler.next(Float32Array.from(each.logits), [])).join();
  };
  expect(draw(1, 2)).toBe(draw(1, 2));
  expect(draw(1, 2)).not.toBe(draw(2, 2));
  expect(draw(1, 0)).toBe(draw(2, 0));
});
