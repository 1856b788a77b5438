/** @file From logits to the next token. The filters and their order are those of transformers' LogitsProcessors. */
import { Random } from '../random.js';

export interface Sampling {
  /** 0 takes the most likely token. */
  readonly temperature: number;
  /** 0 turns it off. */
  readonly topK: number;
  /** Keeps the fewest tokens whose probabilities sum to at least this; 1 turns it off (https://arxiv.org/abs/1904.09751). */
  readonly topP: number;
  /** Keeps tokens at least this fraction as likely as the most likely one; 0 turns it off (https://arxiv.org/abs/2407.01082). */
  readonly minP: number;
  /** Divides positive and multiplies negative logits of previous tokens; 1 turns it off (https://arxiv.org/abs/1909.05858). */
  readonly repetitionPenalty: number;
  readonly seed: number;
}

export const greedy: Sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 0 };

/** Chooses tokens; its randomness comes only from the seed. */
export class Sampler {
  private readonly random: Random;

  constructor(private readonly sampling: Sampling) {
    this.random = new Random(sampling.seed);
  }

  /** `previous` holds the prompt and generated ids. `logits` [V] may be modified. */
  next(logits: Float32Array, previous: Iterable<number>): number {
    const { temperature, repetitionPenalty } = this.sampling;
    if (repetitionPenalty !== 1) penalize(logits, previous, repetitionPenalty);
    return temperature === 0 ? argmax(logits) : this.draw(tokenWeights(logits, this.sampling));
  }

  private draw(weights: Float64Array): number {
    let remaining = this.random.uniform() * sumOf(weights);
    let last = 0;
    for (let id = 0; id < weights.length; id++) {
      if (weights[id] === 0) continue;
      remaining -= weights[id]!;
      if (remaining < 0) return id;
      last = id;
    }
    return last;
  }
}

/** Weights proportional to the token probabilities, with a maximum of 1; 0 for tokens that top-k, top-p and min-p exclude. */
function tokenWeights(logits: Float32Array, { temperature, topK, topP, minP }: Sampling): Float64Array {
  const largest = logits[argmax(logits)]!;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
  const threshold = Math.max(minP, minKept(weights, topK, topP));
  return weights.map((weight) => (weight >= threshold ? weight : 0));
}

/** The smallest weight that is among the `topK` largest and within the share `topP` of their sum. */
function minKept(weights: Float64Array, topK: number, topP: number): number {
  if (topK === 0 && topP === 1) return 0;
  const descending = weights.slice().sort().reverse();
  const likeliest = topK > 0 ? descending.subarray(0, topK) : descending;
  const share = topP * sumOf(likeliest);
  let sum = 0;
  return likeliest.find((weight) => (sum += weight) >= share) ?? likeliest.at(-1)!;
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function penalize(logits: Float32Array, previous: Iterable<number>, penalty: number): void {
  for (const id of new Set(previous)) {
    const logit = logits[id]!;
    logits[id] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
