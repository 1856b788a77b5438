/** @file Weighted sums of adapters, and an adapter's best approximation of a lower rank. */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { HostTensor } from '../formats/hostTensor.js';
import { linearNames, type LinearName } from '../models/linears.js';
import { loraScaling, peftName, type LoraShape } from './lora.js';
import type { Adapter } from './peft.js';
import { addLosses, truncate, type TruncationLoss } from './spectrum.js';

/** An adapter to be added, times `weight`; `name` is for messages. */
export interface Term {
  readonly name: string;
  readonly adapter: Adapter;
  readonly weight: number;
}

/** What a sum consists of: an adapter whose matrices contain everything, with scaling 1. */
type Sum = Pick<Adapter, 'lora' | 'parameters'>;

/**
 * Σ weight · ΔW, exactly: the A matrices are stacked, and so are the B matrices, each times its scaling and weight. The rank is the
 * sum of the ranks. A linear that an adapter leaves alone gets zeros from it. Throws UserError('adapter-mismatch') if the adapters
 * were made for models of different shapes.
 */
export function weightedSum(terms: readonly Term[]): Sum {
  const loras = terms.map(({ adapter }) => adapter.lora);
  const lora = unscaled(
    loras.reduce((sum, { r }) => sum + r, 0),
    linearNames.filter((linear) => loras.some(({ targetModules }) => targetModules.includes(linear))),
    [...new Set(loras.flatMap(({ layers }) => layers!))].sort((a, b) => a - b),
  );
  const parameters = new Map<string, HostTensor>();
  for (const linear of lora.targetModules) {
    const shape = sharedShape(terms, linear);
    for (const layer of lora.layers!) {
      const [loraA, loraB] = stacked(terms, layer, linear, lora.r, shape);
      parameters.set(peftName(layer, linear, 'A'), loraA);
      parameters.set(peftName(layer, linear, 'B'), loraB);
    }
  }
  return { lora, parameters };
}

/** The scaling is alpha / r = 1. */
function unscaled(r: number, targetModules: readonly LinearName[], layers: readonly number[]): LoraShape {
  return { r, alpha: r, targetModules, layers, useRslora: false };
}

/** [out, in] */
type LinearShape = readonly [number, number];

function sharedShape(terms: readonly Term[], linear: LinearName): LinearShape {
  const shapes = terms.flatMap(({ name, adapter }) => {
    const layer = adapter.lora.layers![0]!;
    const [loraA, loraB] = pair(adapter, layer, linear);
    return loraA && loraB ? [{ name, shape: [loraB.shape[0]!, loraA.shape[1]!] as const }] : [];
  });
  const [first] = shapes as [(typeof shapes)[number]];
  const other = shapes.find(({ shape }) => shape.join() !== first.shape.join());
  if (!other) return first.shape;
  const message = t`${first.name} and ${other.name} were made for different models: ${linear} is [${first.shape.join(', ')}] in one and [${other.shape.join(', ')}] in the other. Only adapters of the same base can be merged.`;
  throw new UserError('adapter-mismatch', message);
}

function pair({ parameters }: Pick<Adapter, 'parameters'>, layer: number, linear: LinearName) {
  return [parameters.get(peftName(layer, linear, 'A')), parameters.get(peftName(layer, linear, 'B'))] as const;
}

function stacked(
  terms: readonly Term[],
  layer: number,
  linear: LinearName,
  rank: number,
  [outFeatures, inFeatures]: LinearShape,
): [HostTensor, HostTensor] {
  const stackedA = new Float32Array(rank * inFeatures);
  const stackedB = new Float32Array(outFeatures * rank);
  let first = 0;
  for (const { adapter, weight } of terms) {
    const { r } = adapter.lora;
    const [loraA, loraB] = pair(adapter, layer, linear);
    if (loraA && loraB) {
      stackedA.set(loraA.data, first * inFeatures);
      const factor = weight * loraScaling(adapter.lora);
      for (let row = 0; row < outFeatures; row++)
        for (let k = 0; k < r; k++) stackedB[row * rank + first + k] = factor * loraB.data[row * r + k]!;
    }
    first += r;
  }
  return [
    { shape: [rank, inFeatures], data: stackedA },
    { shape: [outFeatures, rank], data: stackedB },
  ];
}

export interface LinearLoss extends TruncationLoss {
  readonly layer: number;
  readonly linear: LinearName;
}

/**
 * The same adapter with a lower rank, and what that costs. `afterLinear` is awaited after every linear, so that a caller can show
 * progress and cancel by throwing.
 */
export async function withLowerRank(
  { lora, parameters }: Sum,
  rank: number,
  afterLinear: (done: number, total: number) => Promise<void>,
): Promise<Sum & { readonly losses: readonly LinearLoss[] }> {
  const truncated = new Map<string, HostTensor>();
  const losses: LinearLoss[] = [];
  for (const layer of lora.layers!) {
    for (const linear of lora.targetModules) {
      const [loraA, loraB] = pair({ parameters }, layer, linear);
      const { loss, ...matrices } = truncate(loraA!, loraB!, loraScaling(lora), rank);
      truncated.set(peftName(layer, linear, 'A'), matrices.loraA);
      truncated.set(peftName(layer, linear, 'B'), matrices.loraB);
      losses.push({ ...loss, layer, linear });
      await afterLinear(losses.length, lora.layers!.length * lora.targetModules.length);
    }
  }
  return { lora: unscaled(rank, lora.targetModules, lora.layers!), parameters: truncated, losses };
}

/** The losses of one kind of linear over all layers, in the order of the forward pass. */
export function lossByLinear(losses: readonly LinearLoss[]): (TruncationLoss & { readonly linear: LinearName })[] {
  return linearNames.flatMap((linear) => {
    const own = losses.filter((loss) => loss.linear === linear);
    return own.length > 0 ? [{ linear, ...addLosses(own) }] : [];
  });
}
