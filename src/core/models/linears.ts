/** @file The seven linears in every layer of every family, in forward order, under their PEFT target names. */
import type { ModelConfig } from './config.js';

export const linearNames = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
export type LinearName = (typeof linearNames)[number];

/** An activation read by some of a layer's linears, and which ones. */
interface LinearInput {
  readonly name: string;
  readonly readers: readonly LinearName[];
}

export const linearInputs: readonly LinearInput[] = [
  { name: 'attention_input', readers: ['q_proj', 'k_proj', 'v_proj'] },
  { name: 'attention_output', readers: ['o_proj'] },
  { name: 'mlp_input', readers: ['gate_proj', 'up_proj'] },
  { name: 'mlp_hidden', readers: ['down_proj'] },
];

export function inputOf(linear: LinearName): LinearInput {
  return linearInputs.find(({ readers }) => readers.includes(linear))!;
}

/** The program input that holds the factors for an activation before its products in integers; they are [in]. */
export function smoothingName(input: string): string {
  return `${input}.smoothing`;
}

export function isOfMlp(linear: LinearName): boolean {
  return linear === 'gate_proj' || linear === 'up_proj' || linear === 'down_proj';
}

/** [outFeatures, inFeatures] of a linear. */
export function linearShape(config: ModelConfig, linear: LinearName): [number, number] {
  const queryWidth = config.headCount * config.headDim;
  const keyValueWidth = config.keyValueHeadCount * config.headDim;
  switch (linear) {
    case 'q_proj':
      return [queryWidth, config.hiddenSize];
    case 'k_proj':
    case 'v_proj':
      return [keyValueWidth, config.hiddenSize];
    case 'o_proj':
      return [config.hiddenSize, queryWidth];
    case 'gate_proj':
    case 'up_proj':
      return [config.intermediateSize, config.hiddenSize];
    case 'down_proj':
      return [config.hiddenSize, config.intermediateSize];
  }
}
