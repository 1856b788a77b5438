/** @file Programs to ONNX: one row per operation. */
import { encodeOnnx, type OnnxAttribute, type OnnxNode, type OnnxTensor } from '../formats/onnx.js';
import { valuesOf } from './program.js';
import type { DType, OpName, Program, Value } from './types.js';

/** What an execution provider has beyond the operators that all of them have (docs/decisions/0003). */
export interface LoweringTarget {
  /** com.microsoft.FusedMatMul: transposes and a factor inside a batched product. */
  readonly fusedMatMul: boolean;
}

/** ONNX bytes of an optimized program; inputs and outputs keep their names. */
export function lowerToOnnx(program: Program, target: LoweringTarget): Uint8Array {
  const emitter = new Emitter(target);
  const names = new Map<Value, string>();
  for (const [name, value] of program.inputs) names.set(value, name);
  const outputNames = new Map([...program.outputs].map(([name, value]) => [value, name]));
  for (const value of valuesOf(program)) {
    if (names.has(value)) continue;
    const computed = lowerValue(emitter, value, value.inputs.map((input) => names.get(input)!));
    names.set(value, outputNames.has(value) ? emitter.rename(computed, outputNames.get(value)!) : computed);
  }
  for (const [name, value] of program.outputs) {
    if (names.get(value) !== name) emitter.emit('Identity', [names.get(value)!], {}, { output: name, scope: 'output' });
  }
  const info = ([name, value]: [string, Value]): { name: string; type: DType; shape: readonly number[] } => ({
    name,
    type: value.dtype,
    shape: value.shape,
  });
  return encodeOnnx({
    name: program.name,
    nodes: emitter.nodes,
    initializers: emitter.initializers,
    inputs: [...program.inputs].map(info),
    outputs: [...program.outputs].map(info),
  });
}

type Lowering<K extends OpName> = (e: Emitter, value: Value<K>, inputs: readonly string[]) => string;
type Lowered = Exclude<OpName, 'input' | 'attention' | 'swiglu' | 'logSumExp'>;

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
  exp: onnx('Exp'),
  log: onnx('Log'),
  sqrt: onnx('Sqrt'),
  reciprocal: onnx('Reciprocal'),
  sigmoid: onnx('Sigmoid'),
  equal: onnx('Equal'),
  lessOrEqual: onnx('LessOrEqual'),
  where: onnx('Where'),
  cast: (e, { attributes, scope }, inputs) => e.emit('Cast', inputs, { to: e.typeCode(attributes.to) }, { scope }),

  matmul: (e, value, inputs) => (value.shape.length === 2 ? flatMatmul(e, value, inputs) : batchedMatmul(e, value, inputs)),
  gemm: (e, { attributes: { transposeA, transposeB, alpha }, scope }, inputs) =>
    e.emit('Gemm', inputs, { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: alpha } }, { scope }),
  quantizedMatmul: (e, { attributes, scope }, inputs) =>
    e.emit('MatMulNBits', inputs, quantizedAttributes(attributes), { domain: 'com.microsoft', scope }),
  dequantize: () => {
    throw new Error('internal: quantized weights are not lowered yet');
  },

  reshape: (e, { attributes, scope }, [x]) => e.emit('Reshape', [x!, e.integers(attributes.shape)], {}, { scope }),
  transpose: (e, { attributes, scope }, inputs) => e.emit('Transpose', inputs, { perm: attributes.permutation }, { scope }),
  broadcastTo: (e, { attributes, scope }, [x]) => e.emit('Expand', [x!, e.integers(attributes.shape)], {}, { scope }),
  slice: (e, { attributes: { axis, start, end }, scope }, [x]) =>
    e.emit('Slice', [x!, e.integers([start]), e.integers([end]), e.integers([axis])], {}, { scope }),
  concat: (e, { attributes, scope }, inputs) => e.emit('Concat', inputs, { axis: attributes.axis }, { scope }),
  reduceSum: (e, { attributes, scope }, [x]) => e.emit('ReduceSum', [x!, e.integers(attributes.axes)], { keepdims: 1 }, { scope }),
  maxLast: (e, { scope }, [x]) => e.emit('ReduceMax', [x!, e.integers([-1])], { keepdims: 1 }, { scope }),
  gatherRows: onnx('Gather', { axis: 0 }),
  scatterAddRows: (e, value, [base, indices, updates]) => {
    const column = e.emit('Unsqueeze', [indices!, e.integers([-1])], {}, { scope: value.scope });
    return e.emit('ScatterND', [base!, column, updates!], { reduction: 'add' }, { scope: value.scope });
  },

  softmax: onnx('Softmax', { axis: -1 }),
  silu: (e, { scope }, inputs) => e.emit('QuickGelu', inputs, { alpha: { float: 1 } }, { domain: 'com.microsoft', scope }),
  rmsNorm: (e, { attributes, scope }, inputs) =>
    e.emit('SimplifiedLayerNormalization', inputs, { axis: -1, epsilon: { float: attributes.epsilon } }, { scope }),
  rope: (e, { attributes, scope }, [x, positionIds, cos, sin]) => {
    const signedSin = attributes.inverse ? e.emit('Neg', [sin!], {}, { scope }) : sin!;
    return e.emit('RotaryEmbedding', [x!, positionIds!, cos!, signedSin], { interleaved: 0 }, { domain: 'com.microsoft', scope });
  },
};

function lowerValue(e: Emitter, value: Value, inputs: readonly string[]): string {
  const lowering = (lowerings as Partial<Record<OpName, Lowering<never>>>)[value.op];
  if (!lowering) throw new Error(`internal: ${value.op} reached the ONNX lowering; optimize() decomposes it`);
  return lowering(e, value as never, inputs);
}

function flatMatmul(e: Emitter, value: Value<'matmul'>, inputs: readonly string[]): string {
  const { transposeA, transposeB, alpha } = value.attributes;
  const attributes = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: alpha } };
  return e.emit('Gemm', inputs, attributes, { scope: value.scope });
}

function batchedMatmul(e: Emitter, value: Value<'matmul'>, inputs: readonly string[]): string {
  const { transposeA, transposeB, alpha } = value.attributes;
  const { scope } = value;
  if (!transposeA && !transposeB && alpha === 1) return e.emit('MatMul', inputs, {}, { scope });
  if (e.target.fusedMatMul) {
    const attributes = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: alpha } };
    return e.emit('FusedMatMul', inputs, attributes, { domain: 'com.microsoft', scope });
  }
  const [a, b] = value.inputs as [Value, Value];
  const product = e.emit('MatMul', [
    transposeA ? e.swapLastAxes(inputs[0]!, a.shape.length, scope) : inputs[0]!,
    transposeB ? e.swapLastAxes(inputs[1]!, b.shape.length, scope) : inputs[1]!,
  ], {}, { scope });
  return alpha === 1 ? product : e.emit('Mul', [product, e.constant([alpha], [], value.dtype)], {}, { scope });
}

function quantizedAttributes(attributes: { outFeatures: number; inFeatures: number; blockSize: number }): Record<string, OnnxAttribute> {
  return { K: attributes.inFeatures, N: attributes.outFeatures, bits: 4, block_size: attributes.blockSize, accuracy_level: 1 };
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

  /** Gives the result of the last node another name; a constant keeps its own. */
  rename(result: string, name: string): string {
    const last = this.nodes.at(-1);
    if (last?.outputs[0] !== result) return result;
    this.nodes[this.nodes.length - 1] = { ...last, outputs: [name] };
    return name;
  }

  swapLastAxes(x: string, rank: number, scope: string): string {
    const perm = Array.from({ length: rank }, (_, axis) => axis);
    return this.emit('Transpose', [x], { perm: [...perm.slice(0, -2), rank - 1, rank - 2] }, { scope });
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

  typeCode(type: DType): number {
    return { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10 }[type];
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
    case 'uint8':
    case 'bool':
      return new Uint8Array(values);
    case 'float16':
      throw new Error('internal: write fp16 constants as fp32 and cast them');
  }
}
