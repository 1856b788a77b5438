/** @file From logits to the next token. The filters and their order are those of transformers' LogitsProcessors. */
import { Random } from '../random.js';

export interface Sampling {
  /** 0 takes the most likely token. */
  readonly temperature: number;
  /** 0 turns it off. */
  readonly topK: number;
  /** Smallest set of tokens whose probabilities sum to at least this; 1 turns it off (https://arxiv.org/abs/1904.09751). */
  readonly topP: number;
  /** Tokens at least this share as likely as the most likely one; 0 turns it off (https://arxiv.org/abs/2407.01082). */
  readonly minP: number;
  /** Divides the positive and multiplies the negative logits of tokens already there; 1 turns it off (https://arxiv.org/abs/1909.05858). */
  readonly repetitionPenalty: number;
  readonly seed: number;
}

export const greedy: Sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 0 };

/** Chooses tokens; its randomness comes from the seed alone. */
export class Sampler {
  private readonly random: Random;

  constructor(private readonly sampling: Sampling) {
    this.random = new Random(sampling.seed);
  }

  /** `previous` are prompt and generated ids. `logits` [V] may be changed. */
  next(logits: Float32Array, previous: Iterable<number>): number {
    const { temperature, repetitionPenalty } = this.sampling;
    if (repetitionPenalty !== 1) penalize(logits, previous, repetitionPenalty);
    return temperature === 0 ? argmax(logits) : this.draw(this.candidates(logits));
  }

  /** Tokens that pass the filters with their probabilities before normalization, most likely first. */
  private candidates(logits: Float32Array): Candidate[] {
    const { temperature, topK, topP, minP } = this.sampling;
    const largest = logits[argmax(logits)]!;
    const weights: Candidate[] = [];
    for (let id = 0; id < logits.length; id++) {
      const weight = Math.exp((logits[id]! - largest) / temperature);
      if (weight > 0 && weight >= minP) weights.push({ id, weight });
    }
    weights.sort((a, b) => b.weight - a.weight || a.id - b.id);
    const kept = topK > 0 ? weights.slice(0, topK) : weights;
    return topP < 1 ? nucleus(kept, topP) : kept;
  }

  private draw(candidates: readonly Candidate[]): number {
    let remaining = this.random.uniform() * candidates.reduce((sum, { weight }) => sum + weight, 0);
    for (const { id, weight } of candidates) {
      remaining -= weight;
      if (remaining < 0) return id;
    }
    return candidates.at(-1)!.id;
  }
}

interface Candidate {
  readonly id: number;
  readonly weight: number;
}

function nucleus(candidates: readonly Candidate[], topP: number): Candidate[] {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  const end = candidates.findIndex(({ weight }) => (sum += weight) >= topP * total);
  return candidates.slice(0, end < 0 ? undefined : end + 1);
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
