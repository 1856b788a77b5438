/** @file The samples of a run by prompt: what the model, as trained up to each step, answered. Pure functions. */
import type { Sample } from '../../src/protocol/run.js';

export interface SampledPrompt {
  readonly prompt: string;
  readonly expected: string;
  /** Sorted by step, earliest first. */
  readonly answers: readonly SampledAnswer[];
}

export interface SampledAnswer {
  readonly step: number;
  readonly text: string;
}

/** In the order in which they were first asked. */
export function sampledPrompts(samples: readonly Sample[]): SampledPrompt[] {
  const byPrompt = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = JSON.stringify([sample.prompt, sample.expected]);
    byPrompt.set(key, [...(byPrompt.get(key) ?? []), sample]);
  }
  return [...byPrompt.values()].map((asked) => ({
    prompt: asked[0]!.prompt,
    expected: asked[0]!.expected,
    answers: asked.map(({ step, text }) => ({ step, text })).sort((a, b) => a.step - b.step),
  }));
}

/** The steps at which anything was answered, without step 0, the base model's. */
export function sampledSteps(samples: readonly Sample[]): number[] {
  return [...new Set(samples.map(({ step }) => step))].filter((step) => step > 0).sort((a, b) => a - b);
}

/** The base model's answer. */
export function baseAnswer({ answers }: SampledPrompt): SampledAnswer | undefined {
  return answers.find(({ step }) => step === 0);
}

/** The last answer up to a step, since not every prompt is asked between the first and the last step. */
export function answerAt({ answers }: SampledPrompt, step: number): SampledAnswer | undefined {
  return answers.findLast((answer) => answer.step > 0 && answer.step <= step);
}
