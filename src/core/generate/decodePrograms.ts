/**
 * @file The programs for generation: groups of layers with embedded weights, which take new tokens and a cache, and the output
 * layer. The number of new tokens and the adapter's rank are dynamic, so one set of programs serves both the prompt and the next
 * token, with the base model and every adapter.
 */
import { bitsOf, blockColumns } from '../formats/packedBlocks.js';
import { GraphBuilder } from '../graph/builder.js';
import { makeProgram } from '../graph/program.js';
import type { Program, Value } from '../graph/types.js';
import { attentionKindOf, type ModelConfig } from '../models/config.js';
import { attentionAttributes } from '../models/decoderLayer.js';
import { isInteger, isPlain, type FloatForm, type MatrixForm } from '../models/frozenMatrix.js';
import { familyOf } from '../models/registry.js';
import { inputOf, linearShape, smoothingName, type LinearName } from '../models/linears.js';

/** The form in which a layer's linear is held; decoding does not support F16. */
export type DecodeForms = (layer: number, linear: LinearName) => MatrixForm;

// Placeholders for dynamic lengths while the graph is built: T new tokens, m of them whose logits are asked for, capacity of the
// caches, rank r of a group of linears.
const newTokens = 1;
const askedTokens = 1;
const cacheCapacity = 1;
const groupRank = 1;

interface DecodeProgram {
  readonly program: Program;
  /** For lowering: input or output → axis → name of its dynamic length. */
  readonly dynamicAxes: Record<string, Record<number, string>>;
}

/**
 * Layers `from` to `to` − 1: x [1, T, H], caches [1, N, capacity, D], `i.group.lora_A` [r, in] and `i.group.lora_B` [out, r]
 * (with scaling and strength multiplied in; a linear's rows are zero in the columns of the others) → y [1, T, H] and the caches
 * including the new tokens.
 */
export function decodeLayersProgram(config: ModelConfig, from: number, to: number, forms: DecodeForms): DecodeProgram {
  const b = new GraphBuilder();
  const dynamicAxes: DecodeProgram['dynamicAxes'] = {
    x: { 1: 'tokens' },
    y: { 1: 'tokens' },
    position_ids: { 1: 'tokens' },
  };
  const outputs: Record<string, Value> = {};
  const cacheShape = [1, config.keyValueHeadCount, cacheCapacity, config.headDim];
  const lengths = [b.input('last_index', [1], 'int32'), b.input('total_length', [1], 'int32')];
  /** Applies the rotary embedding of a kind of attention, if it has one. */
  const rotated = (vectors: Value, kind: number): Value => {
    if (config.attentionKinds[kind]!.rope === null) return vectors;
    const tables = ['cos', 'sin'].map((name) => {
      dynamicAxes[ropeTableName(name, kind)] = { 0: 'capacity' };
      return b.input(ropeTableName(name, kind), [cacheCapacity, config.headDim / 2]);
    }) as [Value, Value];
    return b.rope(vectors, b.input('position_ids', [1, newTokens], 'int64'), ...tables);
  };

  let x = b.input('x', [1, newTokens, config.hiddenSize]);
  for (let layer = from; layer < to; layer++) {
    const local = (name: string): string => `${layer}.${name}`;
    const kind = attentionKindOf(config, layer);
    ({ output: x } = familyOf(config).layer(b, config, x, {
      vector: (role, width) => b.input(local(role), [width]),
      linear: (linear, input) => {
        const { readers: group } = inputOf(linear);
        const stacked = group.map((member) => linearShape(config, member)[0]);
        const y = groupProduct(b, config, local, group, input, (member) => forms(layer, member));
        return b.split(addPreparedLora(b, config, local(group.join('+')), group, input, y, dynamicAxes), 2, stacked)[
          group.indexOf(linear)
        ]!;
      },
      attend: (query, key, value) => {
        const caches = [b.input(local('past_key'), cacheShape), b.input(local('past_value'), cacheShape)];
        const attributes = { ...attentionAttributes(config), window: config.attentionKinds[kind]!.window };
        const attention = b.cachedAttention([rotated(query, kind), rotated(key, kind), value, ...caches, ...lengths], attributes);
        for (const name of ['past_key', 'past_value', 'present_key', 'present_value'])
          dynamicAxes[local(name)] = { 2: 'capacity' };
        outputs[local('present_key')] = attention.key;
        outputs[local('present_value')] = attention.value;
        return attention.output;
      },
    }));
  }
  return { program: makeProgram('decode', { y: x, ...outputs }), dynamicAxes };
}

/** The name of a program input: the rotary table (`cos` or `sin`) of a kind of attention. */
export function ropeTableName(table: string, attentionKind: number): string {
  return `${table}.${attentionKind}`;
}

/** Final norm and `rows` rows of the output layer, for some of the new tokens: x [1, T, H], indices [m] → logits [1, m, rows]. */
export function decodeHeadProgram(config: ModelConfig, rows: number, form: FloatForm): DecodeProgram {
  const b = new GraphBuilder();
  const x = b.input('x', [1, newTokens, config.hiddenSize]);
  const asked = b.tokensAt(x, b.input('indices', [askedTokens], 'int32'));
  const normed = b.rmsNorm(asked, b.input('norm.weight', [config.hiddenSize]), config.rmsNormEpsilon);
  const logits = weightProduct(b, 'lm_head', [rows, config.hiddenSize], normed, form);
  const dynamicAxes = { x: { 1: 'tokens' }, indices: { 0: 'asked' }, logits: { 1: 'asked' } };
  return { program: makeProgram('decode_head', { logits }), dynamicAxes };
}

/** past [1, N, capacity, D] → grown [1, N, larger, D], padded with zeros at the end. */
export function growCacheProgram({ keyValueHeadCount, headDim }: ModelConfig, capacity: number, larger: number): Program {
  const b = new GraphBuilder();
  const past = b.input('past', [1, keyValueHeadCount, capacity, headDim]);
  return makeProgram('grow-cache', { grown: b.concat([past, ...b.padding(past, 2, larger - capacity)], 2) });
}

/** Stacks linears of a group that have the same form into one matrix: there is one product, whose input is rounded only once. */
function stacksOf(
  { biases }: ModelConfig,
  group: readonly LinearName[],
  form: (linear: LinearName) => MatrixForm,
): LinearName[][] {
  const stacks: LinearName[][] = [];
  for (const linear of group) {
    const stack = stacks.at(-1);
    if (stack && form(stack[0]!) === form(linear) && biases.includes(stack[0]!) === biases.includes(linear)) stack.push(linear);
    else stacks.push([linear]);
  }
  return stacks;
}

/** The concatenated results of the linears that read x: x [1, T, in] → [1, T, total out]. */
function groupProduct(
  b: GraphBuilder,
  config: ModelConfig,
  local: (name: string) => string,
  group: readonly LinearName[],
  x: Value,
  form: (linear: LinearName) => MatrixForm,
): Value {
  const products = stacksOf(config, group, form).map((stack) => {
    const name = local(stack.join('+'));
    const shape = stackShape(config, stack);
    const held = form(stack[0]!);
    const product = isInteger(held)
      ? integerProduct(b, name, shape, x, b.input(local(smoothingName(inputOf(stack[0]!).name)), [shape[1]]))
      : weightProduct(b, name, shape, x, held);
    return config.biases.includes(stack[0]!) ? b.add(product, b.input(`${name}.bias`, [shape[0]])) : product;
  });
  return b.concat(products, 2);
}

/** [total out, in] */
export function stackShape(config: ModelConfig, stack: readonly LinearName[]): [number, number] {
  const shapes = stack.map((linear) => linearShape(config, linear));
  return [shapes.reduce((sum, [rows]) => sum + rows, 0), shapes[0]![1]];
}

/** Keeps what a row of zeros is divided by above zero. */
const epsilon = 1e-30;

/**
 * Like integerMatmul, with few operations and for any number of rows: divided by their root mean square, which is fused with the
 * smoothing, all rows can be rounded with one scale.
 */
function integerProduct(
  b: GraphBuilder,
  name: string,
  [outFeatures, inFeatures]: readonly [number, number],
  x: Value,
  smoothing: Value,
): Value {
  const codes = b.input(`${name}.codes`, [inFeatures, outFeatures], 'int8');
  const normed = b.rmsNorm(x, smoothing, epsilon);
  const product = b.roundedMatmul(normed, codes, b.input(`${name}.scales`, [outFeatures]));
  return b.divide(product, b.inverseRms(normed));
}

/** fp32 weights are passed as `name.weight_transposed` [in, out], the fastest layout for one row times a matrix. */
function weightProduct(
  b: GraphBuilder,
  name: string,
  [outFeatures, inFeatures]: readonly [number, number],
  x: Value,
  form: FloatForm,
): Value {
  if (isPlain(form)) return b.matmul(x, b.input(`${name}.weight_transposed`, [inFeatures, outFeatures]));
  const bits = bitsOf(form);
  const blocks = inFeatures / blockColumns;
  const codes = b.input(`${name}.codes`, [outFeatures, blocks, (blockColumns * bits) / 8], 'uint8');
  const scales = b.input(`${name}.scales`, [outFeatures * blocks]);
  const product = b.quantizedMatmul(x, [codes, scales], { outFeatures, inFeatures, bits, blockSize: blockColumns });
  if (form !== 'Q4_1') return product;
  // W = scale · (c − 8) + offset, so each block contributes its offset times the sum of its inputs. fp32 zero points would be
  // equivalent, but with them ONNX Runtime unpacks the weights again for every token.
  const sums = b.matmul(x, b.input(`block_sums.${inFeatures}`, [inFeatures, blocks])); // [1, T, blocks]
  return b.add(product, b.matmul(sums, b.input(`${name}.offsets`, [blocks, outFeatures])));
}

function addPreparedLora(
  b: GraphBuilder,
  config: ModelConfig,
  name: string,
  group: readonly LinearName[],
  x: Value,
  y: Value,
  dynamicAxes: DecodeProgram['dynamicAxes'],
): Value {
  const [outFeatures, inFeatures] = stackShape(config, group);
  const [nameA, nameB] = [`${name}.lora_A`, `${name}.lora_B`];
  dynamicAxes[nameA] = { 0: `${name}.rank` };
  dynamicAxes[nameB] = { 1: `${name}.rank` };
  const reduced = b.matmul(x, b.input(nameA, [groupRank, inFeatures]), { transposeB: true }); // [1, T, r]
  return b.add(y, b.matmul(reduced, b.input(nameB, [outFeatures, groupRank]), { transposeB: true }));
}
