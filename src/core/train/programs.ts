/**
 * @file The programs of a training step but for the vocabulary's (vocabularyPrograms.ts). The engine embeds, runs `forward` once
 * per layer, the head, `backward` once per layer downwards, and at the end of the optimizer step `norm` and `update`. Each is
 * compiled once for all layers, so that compile time does not grow with depth and memory is weights + kept activations + one
 * block.
 *
 * Symbols of the shape comments: B batch, T sequence, N = B·T tokens, H hiddenSize,
 * Q heads·headDim, K keyValueHeads·headDim, F intermediateSize.
 */
import { addLora, blockLoraParameters, type LoraShape } from '../adapters/lora.js';
import { backward } from '../graph/autodiff.js';
import { GraphBuilder } from '../graph/builder.js';
import { makeProgram } from '../graph/program.js';
import type { Program, Value } from '../graph/types.js';
import { attentionAttributes, llamaBlock } from '../llama/block.js';
import type { LlamaConfig } from '../llama/config.js';
import { frozenLinear, type WeightInput } from '../llama/linear.js';
import { linearShape } from '../llama/weights.js';

export interface BatchShape {
  readonly batchSize: number;
  readonly sequenceLength: number;
}

export interface BlockOptions {
  readonly config: LlamaConfig;
  readonly shape: BatchShape;
  readonly weightInput: WeightInput;
  /** Null for a layer without adapter. */
  readonly lora: LoraShape | null;
  /** Probability of dropping an element of an adapter's input; 0 leaves the masks out of the programs. */
  readonly dropout: number;
}

const maskedScore = -1e30;

/** segment_ids [B, T] int32 → mask [B, 1, T, T]: what a token may see is added 0, the rest −10³⁰. */
export function maskProgram({ batchSize, sequenceLength }: BatchShape): Program {
  const b = new GraphBuilder();
  const segments = b.input('segment_ids', [batchSize, sequenceLength], 'int32');
  const querySegment = b.reshape(segments, [batchSize, 1, sequenceLength, 1]);
  const keySegment = b.reshape(segments, [batchSize, 1, 1, sequenceLength]);
  const order = Array.from({ length: sequenceLength }, (_, t) => t);
  const isPast = b.lessOrEqual(b.constant(order, [1, 1, 1, sequenceLength], 'int32'), b.constant(order, [1, 1, sequenceLength, 1], 'int32'));
  const masked = b.scalar(maskedScore);
  const causal = b.where(isPast, b.scalar(0), masked);
  return makeProgram('mask', { mask: b.where(b.equal(querySegment, keySegment), causal, masked) });
}

/** The values of a forward pass from which the backward pass can recompute the others cheaply. */
export interface BlockActivations {
  /** After RoPE: [B, T, Q], [B, T, K], [B, T, K]. */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** [B, T, Q] */
  readonly attention: Value;
  /** After the attention's residual: [N, H]. */
  readonly residual: Value;
  /** [N, F] */
  readonly gate: Value;
  readonly up: Value;
}

/** Bytes that a forward pass keeps for the backward pass where nothing is computed again. */
export function keptBytes(config: LlamaConfig, tokens: number): number {
  const { hiddenSize, intermediateSize, layerCount, headCount, keyValueHeadCount, headDim } = config;
  const inputAndResidual = 2 * hiddenSize;
  const queryAndAttention = 2 * headCount * headDim;
  const keyAndValue = 2 * keyValueHeadCount * headDim;
  const gateAndUp = 2 * intermediateSize;
  return 4 * tokens * layerCount * (inputAndResidual + queryAndAttention + keyAndValue + gateAndUp);
}

/** A block's graph with its differentiable pieces, from which its programs are cut. */
export class BlockGraph {
  private readonly b = new GraphBuilder();
  private readonly x: Value;
  private readonly output: Value;
  private readonly activations: BlockActivations;
  private attention: Pick<BlockActivations, 'query' | 'key' | 'value' | 'attention'> | undefined;
  private readonly parameters: readonly { readonly name: string; readonly value: Value }[];

  constructor(private readonly options: BlockOptions) {
    const { b } = this;
    const { config, shape, weightInput, lora } = options;
    this.x = b.input('x', [shape.batchSize * shape.sequenceLength, config.hiddenSize]);
    this.parameters = lora
      ? blockLoraParameters(config, lora).map((parameter) => ({
          name: parameter.localName,
          value: b.input(parameter.localName, parameter.shape),
        }))
      : [];
    const parameters = new Map(this.parameters.map(({ name, value }) => [name, value]));
    const block = llamaBlock(b, config, this.x, {
      norm: (name) => b.input(`${name}.weight`, [config.hiddenSize]),
      linear: (linear, x) =>
        b.within(linear, () => {
          const y = frozenLinear(b, config, linear, x, weightInput);
          return lora?.targetModules.includes(linear) ? addLora(b, lora, linear, y, this.dropout(linear, x), parameters) : y;
        }),
      attend: (query, key, value) => this.attend(query, key, value),
    });
    this.output = block.output;
    this.activations = { ...this.attention!, residual: block.residual, gate: block.gate, up: block.up };
  }

  /** x, weights → y, and the activations to keep under their names. */
  forward(keep: readonly (keyof BlockActivations)[]): Program {
    const kept = Object.fromEntries(keep.map((name) => [name, this.activations[name]]));
    return makeProgram('forward', { y: this.output, ...kept });
  }

  /**
   * x, kept activations, dy, weights, gradient sums so far → dx and the new gradient sums (`name.gradient`).
   * The lowest adapted layer needs no dx.
   */
  backward(keep: readonly (keyof BlockActivations)[], wantsInputGradient: boolean): Program {
    const { b } = this;
    const dy = b.input('dy', this.output.shape);
    const wrt = [...this.parameters.map(({ value }) => value), ...(wantsInputGradient ? [this.x] : [])];
    const gradients = backward(b, new Map([[this.output, dy]]), wrt);
    const sums = this.parameters.map(({ name, value }, i): [string, Value] => [
      `${name}.gradient`,
      b.add(b.input(`${name}.gradient_sum`, value.shape), gradients[i]!),
    ]);
    const dx: [string, Value][] = wantsInputGradient ? [['dx', gradients.at(-1)!]] : [];
    const kept = Object.fromEntries(keep.map((name) => [name, this.activations[name]]));
    return makeProgram('backward', Object.fromEntries([...sums, ...dx]), kept);
  }

  /** Self-attention within each sequence: query [N, Q], key and value [N, K] → [N, Q]. */
  private attend(flatQuery: Value, flatKey: Value, flatValue: Value): Value {
    const { b } = this;
    const { config, shape } = this.options;
    const { batchSize, sequenceLength } = shape;
    const bySequence = (x: Value): Value => b.reshape(x, [batchSize, sequenceLength, x.shape[1]!]);
    const positionIds = b.input('position_ids', [batchSize, sequenceLength], 'int64');
    const cos = b.input('cos', [sequenceLength, config.headDim / 2]);
    const sin = b.input('sin', [sequenceLength, config.headDim / 2]);
    const mask = b.input('mask', [batchSize, 1, sequenceLength, sequenceLength]);
    const query = b.rope(bySequence(flatQuery), positionIds, cos, sin);
    const key = b.rope(bySequence(flatKey), positionIds, cos, sin);
    const value = bySequence(flatValue);
    const attention = b.attention(query, key, value, mask, { ...attentionAttributes(config), causal: true });
    this.attention = { query, key, value, attention };
    return b.reshape(attention, flatQuery.shape);
  }

  /** Linears that read the same activation share its mask: one mask per distinct input, [N, in] of 0 and 1. */
  private dropout(linear: keyof typeof dropoutMasks, x: Value): Value {
    const { dropout } = this.options;
    if (dropout === 0) return x;
    const kept = this.b.cast(this.b.input(dropoutMasks[linear], x.shape, 'uint8'), 'float32');
    return this.b.multiply(x, this.b.scale(kept, 1 / (1 - dropout)));
  }
}

/** The name of the mask that each linear's adapter input goes through. */
export const dropoutMasks = {
  q_proj: 'dropout.attention_input',
  k_proj: 'dropout.attention_input',
  v_proj: 'dropout.attention_input',
  o_proj: 'dropout.attention_output',
  gate_proj: 'dropout.mlp_input',
  up_proj: 'dropout.mlp_input',
  down_proj: 'dropout.mlp_hidden',
} as const;

/** The masks that an adapter needs in each layer, with their width. */
export function dropoutMaskWidths(config: LlamaConfig, lora: LoraShape): ReadonlyMap<string, number> {
  return new Map(lora.targetModules.map((linear) => [dropoutMasks[linear], linearShape(config, linear)[1]]));
}

/** The gradient sums of one layer, total_before [] → total []: Σ g². */
export function normProgram(config: LlamaConfig, lora: LoraShape): Program {
  const b = new GraphBuilder();
  const total = blockLoraParameters(config, lora).reduce((sum, { localName, shape }) => {
    const gradient = b.input(`${localName}.gradient_sum`, shape);
    return b.add(sum, b.reshape(b.reduceSum(b.multiply(gradient, gradient), [0, 1]), []));
  }, b.input('total_before', []));
  return makeProgram('norm', { total });
}

/** The scalar inputs of the update program. */
export interface UpdateScalars {
  /** 1/label tokens, times the clip factor. */
  readonly gradient_scale: number;
  readonly beta1: number;
  readonly one_minus_beta1: number;
  readonly beta2: number;
  readonly one_minus_beta2: number;
  readonly epsilon: number;
  /** 1 − learning rate · weight decay. */
  readonly decay: number;
  /** learning rate / (1 − beta1^t). */
  readonly step_size: number;
  /** 1 / √(1 − beta2^t). */
  readonly inverse_root_correction2: number;
}

export const updateScalarNames = [
  'gradient_scale',
  'beta1',
  'one_minus_beta1',
  'beta2',
  'one_minus_beta2',
  'epsilon',
  'decay',
  'step_size',
  'inverse_root_correction2',
] as const satisfies readonly (keyof UpdateScalars)[];

/** AdamW with decoupled decay (https://arxiv.org/abs/1711.05101), in PyTorch's order of operations, for one layer's parameters. */
export function updateProgram(config: LlamaConfig, lora: LoraShape): Program {
  const b = new GraphBuilder();
  const scalar = Object.fromEntries(updateScalarNames.map((name) => [name, b.input(name, [])])) as Record<keyof UpdateScalars, Value>;
  const outputs: Record<string, Value> = {};
  for (const { localName, shape } of blockLoraParameters(config, lora)) {
    const parameter = b.input(localName, shape);
    const gradient = b.multiply(b.input(`${localName}.gradient_sum`, shape), scalar.gradient_scale);
    const m = weightedSum(b.input(`${localName}.m`, shape), scalar.beta1, gradient, scalar.one_minus_beta1);
    const v = weightedSum(b.input(`${localName}.v`, shape), scalar.beta2, b.multiply(gradient, gradient), scalar.one_minus_beta2);
    const denominator = b.add(b.multiply(b.sqrt(v), scalar.inverse_root_correction2), scalar.epsilon);
    const step = b.multiply(b.divide(m, denominator), scalar.step_size);
    outputs[`${localName}.next`] = b.subtract(b.multiply(parameter, scalar.decay), step);
    outputs[`${localName}.m.next`] = m;
    outputs[`${localName}.v.next`] = v;
  }
  return makeProgram('update', outputs);

  function weightedSum(x: Value, weightX: Value, y: Value, weightY: Value): Value {
    return b.add(b.multiply(x, weightX), b.multiply(y, weightY));
  }
}
