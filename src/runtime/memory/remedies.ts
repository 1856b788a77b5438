/** @file What would make a run fit into memory, cheapest first. */
import type { BaseDType } from '../../core/models/matrixForm.js';
import { estimateMemory, type MemoryEstimate, type MemoryRequest } from './estimate.js';

/** A change to one setting, in the terms of a run config. */
export interface SettingChange {
  readonly setting:
    'engine.gradient_checkpointing' | 'engine.base_dtype' | 'engine.layer_streaming' | 'train.batch_size' | 'data.max_seq_length';
  readonly from: string;
  readonly to: string;
}

export interface Remedy {
  readonly changes: readonly SettingChange[];
  /** The estimate after the changes. */
  readonly estimate: MemoryEstimate;
}

interface Step {
  /** Cost in speed and quality, in arbitrary units that only rank the steps. */
  readonly cost: number;
  readonly change: SettingChange | null;
  apply(request: MemoryRequest): MemoryRequest;
}

const maxRemedies = 3;

/** Up to three ways to make the run fit, none with an unnecessary change; empty if nothing would help. */
export function remedies(request: MemoryRequest, fits: (estimate: MemoryEstimate) => boolean): Remedy[] {
  const all = combinations(request);
  const estimated = (steps: readonly Step[]): MemoryEstimate =>
    estimateMemory(steps.reduce((changed, step) => step.apply(changed), request));
  if (!fits(estimated(all.at(-1)!))) return [];
  const found: { steps: readonly Step[]; remedy: Remedy }[] = [];
  for (const steps of all) {
    if (found.length === maxRemedies) break;
    const isNeedless = found.some((other) => other.steps.every((step, i) => step.cost <= steps[i]!.cost));
    if (isNeedless) continue;
    const estimate = estimated(steps);
    if (fits(estimate)) found.push({ steps, remedy: { changes: steps.flatMap(({ change }) => change ?? []), estimate } });
  }
  return found.map(({ remedy }) => remedy);
}

/** Every combination of one step per setting, cheapest first. */
function combinations(request: MemoryRequest): (readonly Step[])[] {
  const settings = [
    checkpointingSteps(request),
    batchSteps(request),
    dtypeSteps(request),
    streamingSteps(request),
    lengthSteps(request),
  ];
  const all = settings.reduce<(readonly Step[])[]>(
    (chosen, steps) => chosen.flatMap((before) => steps.map((step) => [...before, step])),
    [[]],
  );
  const cost = (steps: readonly Step[]): number => steps.reduce((sum, step) => sum + step.cost, 0);
  return all.sort((a, b) => cost(a) - cost(b));
}

const unchanged: Step = { cost: 0, change: null, apply: (request) => request };

/** Costs a third more work, for the same result. */
function checkpointingSteps({ gradientCheckpointing }: MemoryRequest): Step[] {
  if (gradientCheckpointing) return [unchanged];
  const change = { setting: 'engine.gradient_checkpointing', from: 'off', to: 'on' } as const;
  return [unchanged, { cost: 2, change, apply: (request) => ({ ...request, gradientCheckpointing: true }) }];
}

/** Smaller micro-batches learn the same if more of them are accumulated, a little slower. */
function batchSteps({ batch: { batchSize } }: MemoryRequest): Step[] {
  return [
    unchanged,
    ...halvings(batchSize, 1).map((smaller, index): Step => ({
      cost: 1 + index,
      change: { setting: 'train.batch_size', from: String(batchSize), to: String(smaller) },
      apply: (request) => ({ ...request, batch: { ...request.batch, batchSize: smaller } }),
    })),
  ];
}

/** What takes less memory; int8 holds each weight in both orientations, so it takes as much as fp16. */
const smallerDTypes: Readonly<Record<BaseDType, readonly BaseDType[]>> = {
  fp32: ['fp16', 'int4'],
  fp16: ['int4'],
  int8: ['int4'],
  int4: [],
};

/** Rounds the weights: hardly noticeable with 16 bits, slightly with 4. */
function dtypeSteps({ baseDType }: MemoryRequest): Step[] {
  const smaller = smallerDTypes[baseDType];
  return [
    unchanged,
    ...smaller.map((dtype): Step => ({
      cost: dtype === 'fp16' ? 3 : 4,
      change: { setting: 'engine.base_dtype', from: baseDType, to: dtype },
      apply: (request) => ({ ...request, baseDType: dtype }),
    })),
  ];
}

/** Every weight is then read from disk twice per step. */
function streamingSteps({ layerStreaming }: MemoryRequest): Step[] {
  if (layerStreaming) return [unchanged];
  const change = { setting: 'engine.layer_streaming', from: 'off', to: 'on' } as const;
  return [unchanged, { cost: 5, change, apply: (request) => ({ ...request, layerStreaming: true }) }];
}

const shortestLength = 64;

/** Shorter sequences truncate or split examples. */
function lengthSteps({ batch: { sequenceLength } }: MemoryRequest): Step[] {
  return [
    unchanged,
    ...halvings(sequenceLength, shortestLength).map((shorter, index): Step => ({
      cost: 6 + 2 * index,
      change: { setting: 'data.max_seq_length', from: String(sequenceLength), to: String(shorter) },
      apply: (request) => ({ ...request, batch: { ...request.batch, sequenceLength: shorter } }),
    })),
  ];
}

function halvings(value: number, min: number): number[] {
  const half = Math.floor(value / 2);
  return half < min ? [] : [half, ...halvings(half, min)];
}
