/** @file LoRA: y = W·x + scaling · B·(A·x), with A [r, in] and B [out, r] (https://arxiv.org/abs/2106.09685). */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import type { ModelConfig } from '../models/config.js';
import { inputOf, linearNames, linearShape, type LinearName } from '../models/linears.js';
import { linearPath } from '../models/weightSpec.js';
import { elementCount } from '../shape.js';

/** The shape of an adapter and the strength of its effect. */
export interface LoraShape {
  readonly r: number;
  readonly alpha: number;
  readonly targetModules: readonly LinearName[];
  /** Layer indices; null means all. */
  readonly layers: readonly number[] | null;
  readonly useRslora: boolean;
}

export interface LoraParameter {
  /** The name in PEFT's files: `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`. */
  readonly name: string;
  readonly layer: number;
  readonly linear: LinearName;
  /** The name in the programs, which all layers share: `q_proj.lora_A.weight`. */
  readonly localName: string;
  readonly matrix: 'A' | 'B';
  /** A: [r, in]; B: [out, r]. */
  readonly shape: readonly [number, number];
}

/** α / r, or α / √r with rank stabilisation (https://arxiv.org/abs/2312.03732). */
export function loraScaling({ r, alpha, useRslora }: Pick<LoraShape, 'r' | 'alpha' | 'useRslora'>): number {
  return useRslora ? alpha / Math.sqrt(r) : alpha / r;
}

/** Here and below, a null `lora` means the base model without an adapter. */
export function isAdapted(lora: LoraShape | null, layer: number): lora is LoraShape {
  return lora !== null && (lora.layers === null || lora.layers.includes(layer));
}

export function adaptedLayers(config: ModelConfig, lora: LoraShape | null): number[] {
  return Array.from({ length: config.layerCount }, (_, layer) => layer).filter((layer) => isAdapted(lora, layer));
}

/** The adapted linears of a block, in the order of the forward pass. */
export function adaptedLinears(lora: LoraShape): readonly LinearName[] {
  return linearNames.filter((linear) => lora.targetModules.includes(linear));
}

/** The parameters of one adapted block. */
export function blockLoraParameters(config: ModelConfig, lora: LoraShape): Omit<LoraParameter, 'name' | 'layer'>[] {
  return adaptedLinears(lora).flatMap((linear) => {
    const [outFeatures, inFeatures] = linearShape(config, linear);
    return [
      { linear, localName: localName(linear, 'A'), matrix: 'A', shape: [lora.r, inFeatures] },
      { linear, localName: localName(linear, 'B'), matrix: 'B', shape: [outFeatures, lora.r] },
    ];
  });
}

/** The parameters of all blocks. Throws UserError('config-invalid') if `lora` names a layer that the model does not have. */
export function loraParameters(config: ModelConfig, lora: LoraShape | null): LoraParameter[] {
  if (lora === null) return [];
  const beyond = lora.layers?.find((layer) => layer >= config.layerCount);
  if (beyond !== undefined) {
    const message = t`lora.layers names layer ${beyond}, but the model's layers are 0 to ${config.layerCount - 1}.`;
    throw new UserError('config-invalid', message, { setting: ['lora', 'layers'] });
  }
  return adaptedLayers(config, lora).flatMap((layer) =>
    blockLoraParameters(config, lora).map((parameter) => ({
      ...parameter,
      layer,
      name: peftName(layer, parameter.linear, parameter.matrix),
    })),
  );
}

export function loraParameterCount(config: ModelConfig, lora: LoraShape | null): number {
  return loraParameters(config, lora).reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

export function peftName(layer: number, linear: LinearName, matrix: 'A' | 'B'): string {
  return `base_model.model.${linearPath(layer, linear)}.lora_${matrix}.weight`;
}

function localName(linear: LinearName, matrix: 'A' | 'B'): string {
  return `${linear}.lora_${matrix}.weight`;
}

/** The adapted linears that share this one's input, including the linear itself. */
export function linearsSharingInput(lora: LoraShape, linear: LinearName): readonly LinearName[] {
  return inputOf(linear).readers.filter((reader) => lora.targetModules.includes(reader));
}

/**
 * scaling · x [N, in] · Aᵀ → [N, group · r]. The A matrices of all linears that read x are stacked, so that the group reads
 * x only once, forward and backward. `parameters` are those of one block, by local name.
 */
export function reduceForLora(
  b: GraphBuilder,
  lora: LoraShape,
  linear: LinearName,
  x: Value,
  parameters: ReadonlyMap<string, Value>,
): Value {
  const stackedA = b.concat(
    linearsSharingInput(lora, linear).map((name) => parameters.get(localName(name, 'A'))!),
    0,
  ); // [group · r, in]
  return b.matmul(x, stackedA, { transposeB: true, alpha: loraScaling(lora) });
}

/** y [N, out] + this linear's columns of `reduced` [N, group · r] · Bᵀ. */
export function addLora(
  b: GraphBuilder,
  lora: LoraShape,
  linear: LinearName,
  y: Value,
  reduced: Value,
  parameters: ReadonlyMap<string, Value>,
): Value {
  const group = linearsSharingInput(lora, linear);
  const own = b.split(
    reduced,
    1,
    group.map(() => lora.r),
  )[group.indexOf(linear)]!; // [N, r]
  return b.add(y, b.matmul(own, parameters.get(localName(linear, 'B'))!, { transposeB: true }));
}
