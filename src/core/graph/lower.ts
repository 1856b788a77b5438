/** @file Lowers programs to ONNX, with one entry per operation. */
import {
  encodeOnnx,
  onnxTypes,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxValueInfo,
} from '../formats/onnx.js';
import { elementCount } from '../shape.js';
import { valuesOf } from './program.js';
import type { DType, OpAttributes, OpName, Program, QuantizedAttributes, Value } from './types.js';

/** What an execution provider supports beyond the operators that all of them have (WebGPU lacks FusedMatMul). */
interface LoweringTarget {
  /** com.microsoft.FusedMatMul: transposes and a factor inside a batched product. */
  readonly fusedMatMul: boolean;
  /** SimplifiedLayerNormalization's second result; WebGPU writes something else there. */
  readonly inverseRms: boolean;
  /** Whether the model's outputs begin with `lastOutput`. */
  readonly endsRun?: boolean;
}

/** What every provider supports, and all that WebGPU supports. */
export const commonTarget: LoweringTarget = { fusedMatMul: false, inverseRms: false };

/** An output that can't be read; see runtime/cpuDevice.ts for its purpose. */
export const lastOutput = 'end_of_run';

/** Inputs embedded in the model, so that the provider can repack them: bytes by input name. */
export type Constants = ReadonlyMap<string, Uint8Array>;

/** Axes whose length may differ from call to call: input or output name → axis → a name for the length. */
export type DynamicAxes = Readonly<Record<string, Readonly<Record<number, string>>>>;

/** The type in which a program takes a tensor: ONNX Runtime's Node binding can't pass bfloat16, only its bits as integers. */
export function inputType(dtype: DType): Exclude<OnnxType, 'bfloat16'> {
  return dtype === 'bfloat16' ? 'uint16' : dtype;
}

/** Encodes an optimized program as ONNX; inputs and outputs keep their names. */
export function lowerToOnnx(
  program: Program,
  target: LoweringTarget,
  constants: Constants = new Map(),
  dynamicAxes: DynamicAxes = {},
): Uint8Array {
  const emitter = new Emitter(target);
  const names = new Map<Value, string>();
  for (const [name, value] of program.inputs) names.set(value, name);
  const outputNames = new Map([...program.outputs].map(([name, value]) => [value, name]));
  for (const value of valuesOf(program)) {
    if (names.has(value)) continue;
    const computed = lowerValue(
      emitter,
      value,
      value.inputs.map((input) => names.get(input)!),
    );
    names.set(value, outputNames.has(value) ? emitter.rename(computed, outputNames.get(value)!) : computed);
  }
  for (const [name, value] of program.outputs) {
    if (names.get(value) !== name) emitter.emit('Identity', [names.get(value)!], {}, { output: name, scope: 'output' });
  }
  const info = ([name, value]: [string, Value]): OnnxValueInfo => ({
    name,
    type: inputType(value.dtype),
    shape: value.shape.map((length, axis) => dynamicAxes[name]?.[axis] ?? length),
  });
  const embedded = [...constants].map(([name, bytes]): OnnxTensor => {
    const { dtype, shape } = program.inputs.get(name)!;
    return { name, type: inputType(dtype), shape, bytes };
  });
  const end = target.endsRun ? [emitter.unreadable(lastOutput)] : [];
  return encodeOnnx({
    name: program.name,
    nodes: emitter.nodes,
    initializers: [...emitter.initializers, ...embedded],
    inputs: [...program.inputs].filter(([name]) => !constants.has(name)).map(info),
    outputs: [...end, ...[...program.outputs].map(info)],
  });
}

type Lowering<K extends OpName> = (e: Emitter, value: Value<K>, inputs: readonly string[]) => string;
type Lowered = Exclude<OpName, 'input' | 'attention' | 'swiglu' | 'logSumExp' | 'dequantize' | 'integerMatmul'>;

const onnx =
  (op: string, attributes: Record<string, OnnxAttribute> = {}): Lowering<OpName> =>
  (e, value, inputs) =>
    e.emit(op, inputs, attributes, { scope: value.scope });

const lowerings: { readonly [K in Lowered]: Lowering<K> } = {
  constant: (e, { attributes, dtype, shape }) => e.constant(attributes.values, shape, dtype),
  add: onnx('Add'),
  subtract: onnx('Sub'),
  multiply: onnx('Mul'),
  divide: onnx('Div'),
  negate: onnx('Neg'),
  log: onnx('Log'),
  sqrt: onnx('Sqrt'),
  floor: onnx('Floor'),
  sigmoid: onnx('Sigmoid'),
  equal: onnx('Equal'),
  lessOrEqual: onnx('LessOrEqual'),
  where: onnx('Where'),
  cast: (e, { attributes, scope, inputs: [x] }, inputs) => {
    const typed = x!.dtype === 'bfloat16' ? [e.emit('BitCast', inputs, { to: onnxTypes.bfloat16 }, { scope })] : inputs;
    return e.emit('Cast', typed, { to: onnxTypes[attributes.to] }, { scope });
  },

  matmul: (e, value, inputs) => (value.shape.length === 2 ? gemm(e, value, inputs) : batchedMatmul(e, value, inputs)),
  gemm,
  quantizedMatmul: (e, { attributes, scope }, inputs) =>
    e.emit('MatMulNBits', inputs, quantizedAttributes(attributes), { domain: 'com.microsoft', scope }),

  // Two passes that only read are faster than one that writes the magnitudes.
  largestLast: (e, { scope }, [x]) => {
    const extreme = (op: 'ReduceMax' | 'ReduceMin'): string => e.emit(op, [x!, e.integers([-1])], { keepdims: 1 }, { scope });
    return e.emit('Max', [extreme('ReduceMax'), e.emit('Neg', [extreme('ReduceMin')], {}, { scope })], {}, { scope });
  },
  roundRows: (e, { scope, shape: [rows] }, [x, scale]) => {
    const flat = e.emit('Reshape', [scale!, e.integers([rows!])], {}, { scope });
    const zeroPoints = e.constant(Array<number>(rows!).fill(128), [rows!], 'uint8');
    return e.emit('QuantizeLinear', [x!, flat, zeroPoints], { axis: 0 }, { scope });
  },
  roundShares: (e, { scope }, [x]) =>
    e.emit('QuantizeLinear', [x!, e.constant([1 / 255], [], 'float32'), e.constant([0], [], 'uint8')], {}, { scope }),
  integerProduct: (e, { attributes: { zeroPoint, factor }, scope }, [a, codes, scales]) => {
    const operands = [a!, codes!, e.constant([factor], [], 'float32'), scales!, e.constant([zeroPoint], [], 'uint8')];
    return e.emit('MatMulIntegerToFloat', operands, {}, { domain: 'com.microsoft', scope });
  },

  roundedMatmul: (e, { scope }, inputs) => e.emit('DynamicQuantizeMatMul', inputs, {}, { domain: 'com.microsoft', scope }),

  // Unchanged leading axes are copied from the input (0), whatever their length at run time.
  reshape: (e, { attributes: { shape }, scope, inputs: [from] }, [x]) => {
    const changed = shape.findIndex((length, axis) => length !== from!.shape[axis]);
    return e.emit('Reshape', [x!, e.integers(shape.map((length, axis) => (axis < changed ? 0 : length)))], {}, { scope });
  },
  transpose: (e, { attributes, scope }, inputs) => e.emit('Transpose', inputs, { perm: attributes.permutation }, { scope }),
  broadcastTo: (e, { attributes, scope }, [x]) => e.emit('Expand', [x!, e.integers(attributes.shape)], {}, { scope }),
  slice: (e, { attributes: { axis, start, end }, scope }, [x]) =>
    e.emit('Slice', [x!, e.integers([start]), e.integers([end]), e.integers([axis])], {}, { scope }),
  concat: (e, { attributes, scope }, inputs) => e.emit('Concat', inputs, { axis: attributes.axis }, { scope }),
  reduceSum: (e, { attributes, scope }, [x]) =>
    e.emit('ReduceSum', [x!, e.integers(attributes.axes)], { keepdims: 1 }, { scope }),
  maxLast: (e, { scope }, [x]) => e.emit('ReduceMax', [x!, e.integers([-1])], { keepdims: 1 }, { scope }),
  gatherRows: onnx('Gather', { axis: 0 }),
  scatterAddRows: (e, value, [base, indices, updates]) => {
    const column = e.emit('Unsqueeze', [indices!, e.integers([-1])], {}, { scope: value.scope });
    const wide = e.emit('Cast', [column], { to: onnxTypes.int64 }, { scope: value.scope }); // ScatterND takes no other index type
    return e.emit('ScatterND', [base!, wide, updates!], { reduction: 'add' }, { scope: value.scope });
  },

  softmax: onnx('Softmax', { axis: -1 }),
  silu: (e, { scope }, inputs) => e.emit('QuickGelu', inputs, { alpha: { float: 1 } }, { domain: 'com.microsoft', scope }),
  rmsNorm: (e, { attributes, scope }, inputs) =>
    e.emit('SimplifiedLayerNormalization', inputs, { axis: -1, epsilon: { float: attributes.epsilon } }, { scope }),
  inverseRms: (e, value, [norm]) => (e.target.inverseRms ? e.resultBeside(norm!, 1) : computedInverseRms(e, value, norm!)),
  rope: (e, { attributes, scope }, [x, positionIds, cos, sin]) => {
    const signedSin = attributes.inverse ? e.emit('Neg', [sin!], {}, { scope }) : sin!;
    return e.emit('RotaryEmbedding', [x!, positionIds!, cos!, signedSin], { interleaved: 0 }, { domain: 'com.microsoft', scope });
  },
  cachedAttention: (e, { attributes: { heads, keyValueHeads, scale, window }, scope }, inputs) => {
    // Like `window`, ONNX Runtime's local_window_size includes the current token.
    const ofWindow = window === null ? {} : { local_window_size: window };
    const attributes = { num_heads: heads, kv_num_heads: keyValueHeads, scale: { float: scale }, ...ofWindow };
    const output = e.emit('GroupQueryAttention', inputs, attributes, { domain: 'com.microsoft', scope });
    e.resultBeside(output, 2); // without both caches among its outputs, it computes something else
    return output;
  },
  presentKey: (e, _value, [attention]) => e.resultBeside(attention!, 1),
  presentValue: (e, _value, [attention]) => e.resultBeside(attention!, 2),
  tokensAt: onnx('Gather', { axis: 1 }),
};

function lowerValue(e: Emitter, value: Value, inputs: readonly string[]): string {
  const lowering = (lowerings as Partial<Record<OpName, Lowering<never>>>)[value.op];
  if (!lowering) throw new Error(`internal: ${value.op} reached the ONNX lowering; optimize() decomposes it`);
  return lowering(e, value as never, inputs);
}

/** A product of two matrices, added to a third if there is one. */
function gemm(e: Emitter, { attributes, scope }: Value<'matmul' | 'gemm'>, inputs: readonly string[]): string {
  return e.emit('Gemm', inputs, gemmAttributes(attributes), { scope });
}

function gemmAttributes({ transposeA, transposeB, alpha }: OpAttributes['gemm']): Record<string, OnnxAttribute> {
  return { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: alpha } };
}

function batchedMatmul(e: Emitter, value: Value<'matmul'>, inputs: readonly string[]): string {
  const { transposeA, transposeB, alpha } = value.attributes;
  const { scope } = value;
  if (!transposeA && !transposeB && alpha === 1) return e.emit('MatMul', inputs, {}, { scope });
  if (e.target.fusedMatMul)
    return e.emit('FusedMatMul', inputs, gemmAttributes(value.attributes), { domain: 'com.microsoft', scope });
  // The factor is applied to the smallest of the three.
  const values = [...value.inputs, value];
  const smallest = values.indexOf(
    values.reduce((least, other) => (elementCount(other.shape) < elementCount(least.shape) ? other : least)),
  );
  const scaled = (x: string, place: number): string =>
    place !== smallest || alpha === 1 ? x : e.emit('Mul', [x, e.constant([alpha], [], value.dtype)], {}, { scope });
  const operands = value.inputs.map(({ shape }, place) => {
    const x = scaled(inputs[place]!, place);
    return [transposeA, transposeB][place] ? e.swapLastAxes(x, shape.length, scope) : x;
  });
  return scaled(e.emit('MatMul', operands, {}, { scope }), 2);
}

function computedInverseRms(e: Emitter, { inputs, scope }: Value, norm: string): string {
  const {
    attributes,
    inputs: [x],
  } = inputs[0] as Value<'rmsNorm'>;
  const squares = e.emit('ReduceSumSquare', [e.operandOf(norm), e.integers([-1])], { keepdims: 1 }, { scope });
  const mean = e.emit('Div', [squares, e.constant([x!.shape.at(-1)!], [], 'float32')], {}, { scope });
  const root = e.emit(
    'Sqrt',
    [e.emit('Add', [mean, e.constant([attributes.epsilon], [], 'float32')], {}, { scope })],
    {},
    { scope },
  );
  return e.emit('Reciprocal', [root], {}, { scope });
}

/** accuracy_level 4 quantizes activations to int8 as well, which is several times faster for one row (docs/decisions/0005). */
function quantizedAttributes({ outFeatures, inFeatures, bits, blockSize }: QuantizedAttributes): Record<string, OnnxAttribute> {
  return { K: inFeatures, N: outFeatures, bits, block_size: blockSize, accuracy_level: 4 };
}

class Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  private readonly constants = new Map<string, string>();

  constructor(readonly target: LoweringTarget) {}

  /** Adds a node and returns the name of its result. */
  emit(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, OnnxAttribute>,
    where: { domain?: 'com.microsoft'; scope: string; output?: string },
  ): string {
    const output = where.output ?? `%${this.nodes.length}`;
    const name = `${where.scope}:${op}:${this.nodes.length}`;
    this.nodes.push({ op, domain: where.domain ?? '', name, inputs, outputs: [output], attributes });
    return output;
  }

  /** The first operand of the node whose first result is `first`. */
  operandOf(first: string): string {
    return this.nodes.find(({ outputs }) => outputs[0] === first)!.inputs[0]!;
  }

  /** Another result of the node whose first result is `first`; nodes have only the results that are requested. */
  resultBeside(first: string, index: number): string {
    const place = this.nodes.findIndex(({ outputs }) => outputs[0] === first);
    const node = this.nodes[place]!;
    const missing = Array.from(
      { length: Math.max(0, index + 1 - node.outputs.length) },
      (_, i) => `${first}:${node.outputs.length + i}`,
    );
    const outputs = [...node.outputs, ...missing];
    this.nodes[place] = { ...node, outputs };
    return outputs[index]!;
  }

  /** Renames a result that is not used yet; a constant keeps its name. */
  rename(result: string, name: string): string {
    const index = this.nodes.findLastIndex(({ outputs }) => outputs.includes(result));
    if (index < 0) return result;
    const node = this.nodes[index]!;
    this.nodes[index] = { ...node, outputs: node.outputs.map((output) => (output === result ? name : output)) };
    return name;
  }

  swapLastAxes(x: string, rank: number, scope: string): string {
    const perm = Array.from({ length: rank }, (_, axis) => axis);
    return this.emit('Transpose', [x], { perm: [...perm.slice(0, -2), rank - 1, rank - 2] }, { scope });
  }

  /** An empty sequence of tensors, which ONNX Runtime's Node binding refuses to return. */
  unreadable(output: string): OnnxValueInfo {
    this.emit('SequenceEmpty', [], {}, { output, scope: 'output' });
    return { name: output, type: 'float32', shape: [], isSequence: true };
  }

  integers(values: readonly number[]): string {
    return this.constant(values, [values.length], 'int64');
  }

  constant(values: readonly number[], shape: readonly number[], type: DType): string {
    const key = `${type}[${shape.join()}]=${values.join()}`;
    const known = this.constants.get(key);
    if (known) return known;
    const name = `constant${this.constants.size}`;
    this.constants.set(key, name);
    this.initializers.push({ name, type, shape, bytes: constantBytes(values, type) });
    return name;
  }
}

function constantBytes(values: readonly number[], type: DType): Uint8Array {
  switch (type) {
    case 'float32':
      return new Uint8Array(new Float32Array(values).buffer);
    case 'int32':
      return new Uint8Array(new Int32Array(values).buffer);
    case 'int64':
      return new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer);
    case 'int8':
    case 'uint8':
    case 'bool':
      return new Uint8Array(values);
    case 'float16':
    case 'bfloat16':
      throw new Error('internal: write 16-bit constants as fp32 and cast them');
  }
}
