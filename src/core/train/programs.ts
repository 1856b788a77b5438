/**
 * @file The programs of a training step, except those for the vocabulary (vocabularyPrograms.ts). The engine embeds, runs
 * `forward` once per layer, then the head, then `backward` once per layer in reverse, and at the end of the optimizer step
 * `clip`, and `update` once per layer. Each program is compiled once for all layers, so compile time does not grow with depth,
 * and memory is weights + kept activations + one block.
 *
 * Symbols in the shape comments: B batch, T sequence, N = B·T tokens, H hiddenSize,
 * Q heads·headDim, K keyValueHeads·headDim, F intermediateSize, P numbers in a layer's LoRA parameters.
 */
import {
  adaptedLayers,
  addLora,
  blockLoraParameters,
  linearsSharingInput,
  reduceForLora,
  type LoraShape,
} from '../adapters/lora.js';
import { causalBlocks } from '../graph/attention.js';
import { backward } from '../graph/autodiff.js';
import { GraphBuilder } from '../graph/builder.js';
import { makeProgram } from '../graph/program.js';
import type { DeviceKind, Program, Value } from '../graph/types.js';
import type { AttentionKind, ModelConfig } from '../models/config.js';
import { attentionAttributes } from '../models/decoderLayer.js';
import { frozenLinear, type LinearForms } from '../models/linear.js';
import { familyOf } from '../models/registry.js';
import { inputOf, type LinearName } from '../models/linears.js';
import { elementCount } from '../shape.js';
import { dropoutMask } from './dropout.js';

export interface BatchShape {
  readonly batchSize: number;
  readonly sequenceLength: number;
}

interface BlockOptions {
  readonly config: ModelConfig;
  readonly shape: BatchShape;
  /** Index into config.attentionKinds. */
  readonly attentionKind: number;
  /** Determines the blocks of attention. */
  readonly device: DeviceKind;
  readonly forms: LinearForms;
  /** Null for a layer without an adapter. */
  readonly lora: LoraShape | null;
  /** Probability of dropping an element of an adapter's input; with 0, the programs have no masks. */
  readonly dropout: number;
}

const maskedScore = -1e30;

/**
 * segment_ids [B, T] int32 → a mask [B, 1, t, k] for each block of queries, to be added to the scores: 0 for tokens that may be
 * seen, −10³⁰ for the rest. `window` is that of a kind of attention.
 */
export function maskProgram(
  { headCount }: ModelConfig,
  { batchSize, sequenceLength }: BatchShape,
  window: number | null,
  device: DeviceKind,
): Program {
  const b = new GraphBuilder();
  const segments = b.cast(b.input('segment_ids', [batchSize, sequenceLength], 'int32'), 'float32'); // WebGPU slices only floats
  const masked = b.scalar(maskedScore);
  const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i);
  const blocks = causalBlocks(batchSize, sequenceLength, headCount, device);
  const outputs = blocks.map(({ start, end, keys }, index): [string, Value] => {
    const querySegment = b.reshape(b.slice(segments, 1, start, end), [batchSize, 1, end - start, 1]);
    const keySegment = b.reshape(b.slice(segments, 1, 0, keys), [batchSize, 1, 1, keys]);
    const queries = b.constant(range(start, end), [1, 1, end - start, 1], 'int32');
    const keyPlaces = b.constant(range(0, keys), [1, 1, 1, keys], 'int32');
    const seen = b.where(b.lessOrEqual(keyPlaces, queries), b.scalar(0), masked);
    const near =
      window === null ? seen : b.where(b.lessOrEqual(queries, b.add(keyPlaces, b.scalar(window - 1, 'int32'))), seen, masked);
    return [maskName(index), b.where(b.equal(querySegment, keySegment), near, masked)];
  });
  return makeProgram('mask', Object.fromEntries(outputs));
}

/** The windows that matter for sequences of this length; each has its own masks. */
export function effectiveWindows({ attentionKinds }: ModelConfig, sequenceLength: number): Set<number | null> {
  return new Set(attentionKinds.map((kind) => effectiveWindow(kind, sequenceLength)));
}

export function effectiveWindow({ window }: AttentionKind, sequenceLength: number): number | null {
  return window === null || window >= sequenceLength ? null : window;
}

function maskName(block: number): string {
  return `mask.${block}`;
}

/** The output of `loudestInputs` for an input of linears (linearInputs). */
export function loudestName(input: string): string {
  return `${input}.loudest`;
}

/** A block's graph with its differentiable parts, from which its programs are cut. */
export class BlockGraph {
  private readonly b = new GraphBuilder();
  private readonly x: Value;
  private readonly output: Value;
  /**
   * The values from which the backward pass computes everything else: `query` [B, T, Q] after RoPE, `key` and `value` [B, T, K];
   * `attention` [B, T, Q]; what the family's layer keeps in addition; and for each activation that the adapter reads, its product
   * with A, such as `q_proj.reduced` [N, r].
   */
  private readonly activations: Record<string, Value> = {};
  private readonly parameters: ReadonlyMap<string, Value>;
  /** What the linears read, [N, in], by name (linearInputs). */
  private readonly linearInputs = new Map<string, Value>();

  constructor(private readonly options: BlockOptions) {
    const { b } = this;
    const { config, shape, forms, lora } = options;
    this.x = b.input('x', [shape.batchSize * shape.sequenceLength, config.hiddenSize]);
    const parameters = lora ? blockLoraParameters(config, lora) : [];
    this.parameters = new Map(parameters.map(({ localName, shape }) => [localName, b.input(localName, shape)]));
    const layer = familyOf(config).layer(b, config, this.x, {
      vector: (role, width) => b.input(role, [width]),
      linear: (linear, x) =>
        b.within(linear, () => {
          this.linearInputs.set(inputOf(linear).name, x);
          const y = frozenLinear(b, config, linear, x, forms[linear]);
          return lora?.targetModules.includes(linear) ? this.adapted(lora, linear, x, y) : y;
        }),
      attend: (query, key, value) => this.attend(query, key, value),
    });
    this.output = layer.output;
    Object.assign(this.activations, layer.kept);
  }

  /** x, weights → y, and the largest magnitude [in, 1] of each channel that linears read. */
  loudestInputs(): Program {
    const { b } = this;
    const loudest = [...this.linearInputs].map(([name, x]): [string, Value] => {
      return [loudestName(name), b.largestLast(b.transpose(x, [1, 0]))];
    });
    return makeProgram('loudest-inputs', { y: this.output, ...Object.fromEntries(loudest) });
  }

  /** x, weights → y, and the activations if they are to be kept. */
  forward(keepActivations: boolean): Program {
    return makeProgram('forward', { y: this.output, ...(keepActivations && this.activations) });
  }

  /**
   * x, activations if they were kept, dy, weights and the gradient_sum [P] so far → dx and the gradient_sum.next of all
   * parameters, concatenated. The lowest adapted layer needs no dx.
   */
  backward(keptActivations: boolean, wantsInputGradient: boolean): Program {
    const { b } = this;
    const dy = b.input('dy', this.output.shape);
    const wrt = [...this.parameters.values(), ...(wantsInputGradient ? [this.x] : [])];
    const gradients = backward(b, new Map([[this.output, dy]]), wrt);
    const results: Record<string, Value> = {};
    if (this.parameters.size > 0) {
      const gradient = flattened(b, gradients.slice(0, this.parameters.size));
      results['gradient_sum.next'] = b.add(b.input('gradient_sum', gradient.shape), gradient);
    }
    if (wantsInputGradient) results['dx'] = gradients.at(-1)!;
    return makeProgram('backward', results, keptActivations ? this.activations : {});
  }

  /** Self-attention within each sequence: query [N, Q], key and value [N, K] → [N, Q]. */
  private attend(flatQuery: Value, flatKey: Value, flatValue: Value): Value {
    const { b } = this;
    const { config, shape, device, attentionKind } = this.options;
    const { batchSize, sequenceLength } = shape;
    const bySequence = (x: Value): Value => b.reshape(x, [batchSize, sequenceLength, x.shape[1]!]);
    const blocks = causalBlocks(batchSize, sequenceLength, config.headCount, device);
    const masks = blocks.map(({ start, end, keys }, index) => b.input(maskName(index), [batchSize, 1, end - start, keys]));
    const [query, key] = [flatQuery, flatKey].map((x) => this.rotated(bySequence(x), attentionKind)) as [Value, Value];
    const value = bySequence(flatValue);
    const attention = b.attention(query, key, value, masks, attentionAttributes(config));
    Object.assign(this.activations, { query, key, value, attention });
    return b.reshape(attention, flatQuery.shape);
  }

  /** x [B, T, heads · headDim], rotated if this kind of attention has rotary embedding. */
  private rotated(x: Value, attentionKind: number): Value {
    const { b } = this;
    const { config, shape } = this.options;
    if (config.attentionKinds[attentionKind]!.rope === null) return x;
    const { batchSize, sequenceLength } = shape;
    const tables = ['cos', 'sin'].map((name) => b.input(name, [sequenceLength, config.headDim / 2])) as [Value, Value];
    return b.rope(x, b.input('position_ids', [batchSize, sequenceLength], 'int64'), ...tables);
  }

  private adapted(lora: LoraShape, linear: LinearName, x: Value, y: Value): Value {
    const reduced = reduceForLora(this.b, lora, linear, this.dropout(linear, x), this.parameters);
    this.activations[`${linearsSharingInput(lora, linear)[0]}.reduced`] = reduced;
    return addLora(this.b, lora, linear, y, reduced, this.parameters);
  }

  /** Linears that read the same activation share its mask: one mask per distinct input, [N, in]. */
  private dropout(linear: LinearName, x: Value): Value {
    const { dropout } = this.options;
    if (dropout === 0) return x;
    const kept = this.b.cast(this.b.input(dropoutMask(linear), x.shape, 'bool'), 'float32');
    return this.b.multiply(x, this.b.scale(kept, 1 / (1 - dropout)));
  }
}

/**
 * gradient_sum.LAYER [P] of all adapted layers → norm [] of the gradient, which is the mean over label_tokens [], and
 * gradient_scale [], the factor that turns the sums into a gradient no longer than max_norm [], as in torch's clip_grad_norm_.
 */
export function clipProgram(config: ModelConfig, lora: LoraShape): Program {
  const b = new GraphBuilder();
  const count = blockParameterCount(config, lora);
  const squares = adaptedLayers(config, lora).map((layer) => {
    const gradient = b.input(`gradient_sum.${layer}`, [count]);
    return b.reduceSum(b.multiply(gradient, gradient), [0]);
  });
  const total = b.reshape(b.reduceSum(b.concat(squares, 0), [0]), []);
  const labelTokens = b.input('label_tokens', []);
  const norm = b.divide(b.sqrt(total), labelTokens);
  const ratio = b.divide(b.input('max_norm', []), b.add(norm, b.scalar(1e-6)));
  const one = b.scalar(1);
  return makeProgram('clip', { norm, gradient_scale: b.divide(b.where(b.lessOrEqual(one, ratio), one, ratio), labelTokens) });
}

/** Scalars [] that the update program takes in addition to gradient_scale. */
const updateScalarNames = [
  'beta1',
  'one_minus_beta1',
  'beta2',
  'one_minus_beta2',
  'epsilon',
  'decay', // 1 − learning rate · weight decay
  'step_size', // learning rate / (1 − beta1^t)
  'inverse_root_correction2', // 1 / √(1 − beta2^t)
] as const;
export type UpdateScalars = Readonly<Record<(typeof updateScalarNames)[number], number>>;

/**
 * AdamW with decoupled decay (https://arxiv.org/abs/1711.05101), in PyTorch's order of operations, for one layer: its parameters,
 * and gradient_sum, m and v [P], each concatenated over all parameters. The next gradient sums are zero.
 */
export function updateProgram(config: ModelConfig, lora: LoraShape): Program {
  const b = new GraphBuilder();
  const scalar = Object.fromEntries(updateScalarNames.map((name) => [name, b.input(name, [])])) as Record<
    keyof UpdateScalars,
    Value
  >;
  const parameters = blockLoraParameters(config, lora);
  const parameter = flattened(
    b,
    parameters.map(({ localName, shape }) => b.input(localName, shape)),
  ); // [P]
  const flat = (name: string): Value => b.input(name, parameter.shape);

  const gradient = b.multiply(flat('gradient_sum'), b.input('gradient_scale', []));
  const m = weightedSum(flat('m'), scalar.beta1, gradient, scalar.one_minus_beta1);
  const v = weightedSum(flat('v'), scalar.beta2, b.multiply(gradient, gradient), scalar.one_minus_beta2);
  const denominator = b.add(b.multiply(b.sqrt(v), scalar.inverse_root_correction2), scalar.epsilon);
  const step = b.multiply(b.divide(m, denominator), scalar.step_size);
  const next = b.subtract(b.multiply(parameter, scalar.decay), step);

  const own = b.split(
    next,
    0,
    parameters.map(({ shape }) => elementCount(shape)),
  );
  const outputs = parameters.map(({ localName, shape }, i): [string, Value] => [`${localName}.next`, b.reshape(own[i]!, shape)]);
  return makeProgram('update', {
    ...Object.fromEntries(outputs),
    'm.next': m,
    'v.next': v,
    'gradient_sum.next': b.zeros(parameter.shape),
  });

  function weightedSum(x: Value, weightX: Value, y: Value, weightY: Value): Value {
    return b.add(b.multiply(x, weightX), b.multiply(y, weightY));
  }
}

/** The values concatenated: [P]. */
function flattened(b: GraphBuilder, values: readonly Value[]): Value {
  return b.concat(
    values.map((value) => b.reshape(value, [elementCount(value.shape)])),
    0,
  );
}

function blockParameterCount(config: ModelConfig, lora: LoraShape): number {
  return blockLoraParameters(config, lora).reduce((sum, { shape }) => sum + elementCount(shape), 0);
}
