import { isAdapted, loraScaling, peftName } from '../adapters/lora.js';
import type { Adapter } from '../adapters/peft.js';
import type { HostTensor } from '../formats/hostTensor.js';
import type { ModelConfig } from '../models/config.js';
import { linearInputs, linearShape, type LinearName } from '../models/linears.js';
import { stackShape } from './decodePrograms.js';

/** The adapter inputs of the decode programs, by name: `0.q_proj+k_proj+v_proj.lora_A` and `….lora_B`. */
export type PreparedAdapter = ReadonlyMap<string, HostTensor>;

/**
 * Stacks the A matrices of linears that share an input, and likewise scaling · strength · B, each in the columns of its own A.
 * A group without an adapted linear gets zeros of rank 1, and so do all groups if the adapter is null: the programs always add
 * something.
 */
export function prepareAdapter(config: ModelConfig, adapter: Adapter | null, strength: number): PreparedAdapter {
  const prepared = new Map<string, HostTensor>();
  for (let layer = 0; layer < config.layerCount; layer++) {
    for (const { readers: group } of linearInputs) {
      const adapted =
        adapter && isAdapted(adapter.lora, layer) ? group.filter((linear) => adapter.lora.targetModules.includes(linear)) : [];
      prepareGroup(prepared, config, adapter, strength, layer, group, adapted);
    }
  }
  return prepared;
}

function prepareGroup(
  prepared: Map<string, HostTensor>,
  config: ModelConfig,
  adapter: Adapter | null,
  strength: number,
  layer: number,
  group: readonly LinearName[],
  adapted: readonly LinearName[],
): void {
  const rank = adapter?.lora.r ?? 1;
  const groupRank = Math.max(1, adapted.length * rank);
  const [outFeatures, inFeatures] = stackShape(config, group);
  const stackedA = new Float32Array(groupRank * inFeatures);
  const stackedB = new Float32Array(outFeatures * groupRank);
  let firstRow = 0;
  for (const linear of group) {
    const rows = linearShape(config, linear)[0];
    const place = adapted.indexOf(linear);
    if (place >= 0) {
      stackedA.set(parameter(adapter!, layer, linear, 'A').data, place * rank * inFeatures);
      const { data } = parameter(adapter!, layer, linear, 'B');
      const factor = loraScaling(adapter!.lora) * strength;
      for (let row = 0; row < rows; row++) {
        for (let r = 0; r < rank; r++) stackedB[(firstRow + row) * groupRank + place * rank + r] = factor * data[row * rank + r]!;
      }
    }
    firstRow += rows;
  }
  const name = `${layer}.${group.join('+')}`;
  prepared.set(`${name}.lora_A`, { shape: [groupRank, inFeatures], data: stackedA });
  prepared.set(`${name}.lora_B`, { shape: [outFeatures, groupRank], data: stackedB });
}

function parameter(adapter: Adapter, layer: number, linear: LinearName, matrix: 'A' | 'B'): HostTensor {
  return adapter.parameters.get(peftName(layer, linear, matrix))!;
}
