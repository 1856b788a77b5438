import { linearNames } from '../core/models/linears.js';
import type { WeightStore } from '../core/models/weights.js';
import { estimateMemory } from '../runtime/memory/estimate.js';
import { availableMemoryBytes } from '../runtime/memory/available.js';
import { usualLengthFor } from '../runs/sequenceLength.js';
import { fits } from '../runtime/memory/plan.js';
import { bytes } from './format.js';

/** The memory needed to train a model on the CPU in a few common ways. */
export interface TrainingMemory {
  readonly availableBytes: number;
  readonly sequenceLength: number;
  readonly ways: readonly {
    readonly baseDType: 'fp32' | 'int4';
    readonly gradientCheckpointing: boolean;
    readonly peakBytes: number;
    readonly fits: boolean;
  }[];
}

const lora = { r: 8, alpha: 16, targetModules: linearNames, layers: null, useRslora: false };

export function trainingMemory(weights: Pick<WeightStore, 'config' | 'names' | 'info'>): TrainingMemory {
  const sequenceLength = usualLengthFor(weights.config);
  const batch = { batchSize: 2, sequenceLength };
  const availableBytes = availableMemoryBytes();
  const ways = (['fp32', 'int4'] as const).flatMap((baseDType) =>
    [false, true].map((gradientCheckpointing) => {
      const request = {
        weights,
        lora,
        dropout: 0,
        batch,
        baseDType,
        gradientCheckpointing,
        layerStreaming: false,
        device: 'cpu',
      } as const;
      const estimate = estimateMemory(request);
      return { baseDType, gradientCheckpointing, peakBytes: estimate.hostBytes, fits: fits({ estimate, availableBytes }) };
    }),
  );
  return { availableBytes, sequenceLength, ways };
}

export function trainingMemoryRows({ availableBytes, sequenceLength, ways }: TrainingMemory): [string, string][] {
  const rows = ways.map(({ baseDType, gradientCheckpointing, peakBytes, fits }): [string, string] => {
    const how = `${baseDType}${gradientCheckpointing ? ' with gradient checkpointing' : ''}`;
    return ['', `${bytes(peakBytes)} in ${how}${fits ? '' : ': does not fit'}`];
  });
  return [
    ['To train it', `at rank 8, two rows of ${sequenceLength} tokens; ${bytes(availableBytes)} of memory available here`],
    ...rows,
  ];
}
