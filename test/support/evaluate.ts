/**
 * @file The meaning of a program: every operation by its definition, in double precision, with no optimization. Does not apply
 * the rounding of a type (fp16).
 */
import { valuesOf } from '../../src/core/graph/program.js';
import type { OpName, Program, Value } from '../../src/core/graph/types.js';
import { elementCount, type Shape } from '../../src/core/shape.js';
import { tensor, type Tensor } from './tensors.js';

/** Returns the outputs by name. `inputs` may contain more than the program needs. */
export function evaluate(program: Program, inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const results = new Map<Value, Tensor>();
  const of = (value: Value): Tensor => results.get(value)!;
  for (const [name, value] of program.inputs) results.set(value, given(inputs, name, value));
  for (const value of valuesOf(program)) {
    if (!results.has(value)) results.set(value, tensor(value.shape, apply(value, of)));
  }
  return new Map([...program.outputs].map(([name, value]) => [name, of(value)]));
}

function given(inputs: ReadonlyMap<string, Tensor>, name: string, { shape }: Value): Tensor {
  const input = inputs.get(name);
  if (input?.shape.join() !== shape.join()) throw new Error(`the input ${name} should be [${shape}], is [${input?.shape}]`);
  return input;
}

type Evaluate<K extends OpName> = (inputs: readonly Tensor[], value: Value<K>, of: (value: Value) => Tensor) => ArrayLike<number>;

function apply<K extends OpName>(value: Value<K>, of: (value: Value) => Tensor): ArrayLike<number> {
  const evaluateOp = evaluators[value.op] as Evaluate<K>;
  return evaluateOp(value.inputs.map(of), value, of);
}

/** Exhaustive: an operation without a definition does not compile. */
const evaluators: { readonly [K in OpName]: Evaluate<K> } = {
  input: (_inputs, { attributes }) => {
    throw new Error(`the input ${attributes.name} was not given`);
  },
  constant: (_inputs, { attributes }) => attributes.values,

  add: elementwise((a, b) => a! + b!),
  subtract: elementwise((a, b) => a! - b!),
  multiply: elementwise((a, b) => a! * b!),
  divide: elementwise((a, b) => a! / b!),
  negate: elementwise((x) => -x!),
  log: elementwise((x) => Math.log(x!)),
  sqrt: elementwise((x) => Math.sqrt(x!)),
  floor: elementwise((x) => Math.floor(x!)),
  sigmoid: elementwise((x) => sigmoid(x!)),
  equal: elementwise((a, b) => Number(a === b)),
  lessOrEqual: elementwise((a, b) => Number(a! <= b!)),
  where: elementwise((condition, a, b) => (condition ? a! : b!)),
  cast: ([x], { attributes: { to } }) => {
    if (to === 'bool') return x!.data.map((number) => Number(number !== 0));
    return to === 'float32' || to === 'float16' ? x!.data : x!.data.map(Math.trunc);
  },

  matmul: ([a, b], { shape, attributes }) => generate(shape, (at) => product(a!, b!, attributes, at)),
  gemm: ([a, b, c], { shape, attributes }) => generate(shape, (at) => read(c!, at) + product(a!, b!, attributes, at)),
  quantizedMatmul: ([x, codes, scales], { shape, attributes: { inFeatures, bits, blockSize } }) => {
    const blocks = Math.ceil(inFeatures / blockSize);
    const weight = (row: number, column: number): number => {
      const position = row * blocks * blockSize + column; // the last block is padded
      const byte = codes!.data[(position * bits) >> 3]!;
      const code = bits === 8 ? byte : (byte >> (4 * (position & 1))) & 15;
      return scales!.data[row * blocks + Math.floor(column / blockSize)]! * (code - 2 ** (bits - 1));
    };
    return generate(shape, (at) => sum(inFeatures, (k) => read(x!, [...at.slice(0, -1), k]) * weight(at.at(-1)!, k)));
  },
  dequantize: ([codes, scales, minimums], { shape, attributes: { bits } }) =>
    generate(shape, ([row, column]) => {
      const [block, within] = [Math.floor(column! / 32), column! % 32];
      const byte = read(codes!, [row!, block, bits === 8 ? within : within % 16]);
      const code = bits === 8 ? byte : within < 16 ? byte & 15 : byte >> 4;
      const scale = read(scales!, [row!, block]);
      return minimums ? scale * code + read(minimums, [row!, block]) : scale * (code - 2 ** (bits - 1));
    }),

  integerMatmul: ([x, codes, scales, , , smoothing]) => {
    const smooth = smoothing
      ? { ...x!, data: x!.data.map((value, i) => value * smoothing.data[i % smoothing.data.length]!) }
      : x!;
    const scale = rows(smooth).map((row) => largest(row) / 127 + 1e-30);
    const rounded = roundedRows(smooth, scale);
    return integerProduct(rounded, codes!, scales!).map((number, i) => number * scale[Math.floor(i / scales!.data.length)]!);
  },
  largestLast: ([x]) => rows(x!).map(largest),
  roundRows: ([x, scale]) => roundedRows(x!, scale!.data).data.map((code) => code + 128),
  roundShares: ([x]) => x!.data.map((share) => Math.min(255, Math.max(0, roundHalfToEven(255 * share)))),
  integerProduct: ([a, codes, scales], { attributes: { zeroPoint, factor } }) =>
    integerProduct({ ...a!, data: a!.data.map((code) => factor * (code - zeroPoint)) }, codes!, scales!),

  // Without its rounding.
  roundedMatmul: ([x, codes, scales]) => {
    const inner = x!.shape.at(-1)!;
    return integerProduct({ ...x!, shape: [x!.data.length / inner, inner] }, codes!, scales!);
  },

  reshape: ([x]) => x!.data,
  transpose: ([x], { shape, attributes: { permutation } }) =>
    generate(shape, (at) =>
      read(
        x!,
        permutation.map((_, axis) => at[permutation.indexOf(axis)]!),
      ),
    ),
  broadcastTo: ([x], { shape }) => generate(shape, (at) => read(x!, at)),
  slice: ([x], { shape, attributes: { axis, start } }) =>
    generate(shape, (at) =>
      read(
        x!,
        at.map((index, i) => (i === axis ? start + index : index)),
      ),
    ),
  concat: (inputs, { shape, attributes: { axis } }) =>
    generate(shape, (at) => {
      let index = at[axis]!;
      const owner = inputs.find((x) => index < x.shape[axis]! || ((index -= x.shape[axis]!), false))!;
      return read(
        owner,
        at.map((own, i) => (i === axis ? index : own)),
      );
    }),
  reduceSum: ([x], { shape, attributes: { axes } }) => {
    const sums = new Float64Array(elementCount(shape));
    for (const at of coordinates(x!.shape))
      sums[
        offset(
          shape,
          at.map((index, i) => (axes.includes(i) ? 0 : index)),
        )
      ]! += read(x!, at);
    return sums;
  },
  maxLast: ([x]) => rows(x!).map((row) => Math.max(...row)),
  gatherRows: ([table, indices], { shape }) =>
    generate(shape, (at) => {
      const rank = indices!.shape.length;
      return read(table!, [read(indices!, at.slice(0, rank)), ...at.slice(rank)]);
    }),
  scatterAddRows: ([base, indices, updates]) => {
    const result = base!.data.slice();
    const rank = indices!.shape.length;
    for (const at of coordinates(updates!.shape)) {
      result[offset(base!.shape, [read(indices!, at.slice(0, rank)), ...at.slice(rank)])]! += read(updates!, at);
    }
    return result;
  },

  softmax: ([x]) => rows(x!).flatMap(softmax),
  logSumExp: ([x]) => rows(x!).map((row) => Math.log(row.reduce((total, number) => total + Math.exp(number), 0))),
  silu: elementwise((x) => x! * sigmoid(x!)),
  swiglu: elementwise((gate, up) => gate! * sigmoid(gate!) * up!),
  rmsNorm: ([x, weight], { attributes: { epsilon } }) =>
    rows(x!).flatMap((row) => row.map((number, i) => number * inverseRms(row, epsilon) * weight!.data[i]!)),
  inverseRms: (_inputs, { inputs: [norm] }, of) => {
    const { inputs, attributes } = norm as Value<'rmsNorm'>;
    return rows(of(inputs[0]!)).map((row) => inverseRms(row, attributes.epsilon));
  },
  rope: ([x, positionIds, cos, sin], { shape, attributes: { inverse } }) => {
    const half = cos!.shape[1]!;
    return generate(shape, (at) => {
      const [batch, token, feature] = at as [number, number, number];
      const isFirstHalf = feature % (2 * half) < half;
      const partner = read(x!, [batch, token, feature + (isFirstHalf ? half : -half)]);
      const angle = [read(positionIds!, [batch, token]), feature % half];
      const turn = (isFirstHalf === inverse ? 1 : -1) * read(sin!, angle);
      return read(x!, at) * read(cos!, angle) + partner * turn;
    });
  },
  attention: ([query, key, value, mask], { shape, attributes: { heads, keyValueHeads, headDim, scale } }) => {
    const keys = key!.shape[1]!;
    return generate(shape, (at) => {
      const [batch, token, feature] = at as [number, number, number];
      const head = Math.floor(feature / headDim);
      const start = Math.floor(head / (heads / keyValueHeads)) * headDim; // where the head's keys and values start
      const scores = Array.from({ length: keys }, (_, k) => {
        const dot = sum(headDim, (d) => read(query!, [batch, token, head * headDim + d]) * read(key!, [batch, k, start + d]));
        return scale * dot + read(mask!, [batch, 0, token, k]);
      });
      return sum(keys, (k) => softmax(scores)[k]! * read(value!, [batch, k, start + (feature % headDim)]));
    });
  },
  cachedAttention: (
    [query, key, value, pastKey, pastValue, , totalLength],
    { shape, attributes: { heads, keyValueHeads, headDim, scale, window } },
  ) => {
    const presentKey = append(pastKey!, key!, totalLength!);
    const presentValue = append(pastValue!, value!, totalLength!);
    const before = totalLength!.data[0]! - shape[1]!;
    return generate(shape, (at) => {
      const [, token, feature] = at as [number, number, number];
      const head = Math.floor(feature / headDim);
      const group = Math.floor(head / (heads / keyValueHeads));
      const seen = before + token + 1;
      const scores = Array.from({ length: seen }, (_, k) => {
        const dot = sum(headDim, (d) => read(query!, [0, token, head * headDim + d]) * read(presentKey, [0, group, k, d]));
        return window !== null && k < seen - window ? -Infinity : scale * dot;
      });
      return sum(seen, (k) => softmax(scores)[k]! * read(presentValue, [0, group, k, feature % headDim]));
    });
  },
  presentKey: (_inputs, { inputs: [attention] }, of) => {
    const [, key, , pastKey, , , totalLength] = attention!.inputs.map(of);
    return append(pastKey!, key!, totalLength!).data;
  },
  presentValue: (_inputs, { inputs: [attention] }, of) => {
    const [, , value, , pastValue, , totalLength] = attention!.inputs.map(of);
    return append(pastValue!, value!, totalLength!).data;
  },
  tokensAt: ([x, indices], { shape }) =>
    generate(shape, ([, token, ...rest]) => read(x!, [0, read(indices!, [token!]), ...rest])),
};

/** With NumPy's broadcasting. */
function elementwise(f: (...numbers: number[]) => number): Evaluate<OpName> {
  return (inputs, { shape }) => generate(shape, (at) => f(...inputs.map((input) => read(input, at))));
}

function inverseRms(row: readonly number[], epsilon: number): number {
  return 1 / Math.sqrt(row.reduce((total, number) => total + number * number, 0) / row.length + epsilon);
}

function largest(row: readonly number[]): number {
  return Math.max(...row.map(Math.abs));
}

function roundHalfToEven(number: number): number {
  return number % 1 === 0.5 || number % 1 === -0.5 ? 2 * Math.round(number / 2) : Math.round(number);
}

function roundedRows(x: Tensor, scales: ArrayLike<number>): Tensor {
  const data = rows(x).flatMap((row, i) =>
    row.map((number) => Math.min(127, Math.max(-128, roundHalfToEven(number / scales[i]!)))),
  );
  return tensor(x.shape, data);
}

function integerProduct(a: Tensor, codes: Tensor, scales: Tensor): Float64Array {
  const [inner, columns] = codes.shape as [number, number];
  return generate(
    [a.shape[0]!, columns],
    ([row, column]) => scales.data[column!]! * sum(inner, (k) => read(a, [row!, k]) * read(codes, [k, column!])),
  );
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function softmax(row: readonly number[]): number[] {
  const largest = Math.max(...row);
  const exponentials = row.map((number) => Math.exp(number - largest));
  const total = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((number) => number / total);
}

function product(
  a: Tensor,
  b: Tensor,
  options: { transposeA: boolean; transposeB: boolean; alpha: number },
  at: readonly number[],
): number {
  const [batch, row, column] = [at.slice(0, -2), at.at(-2)!, at.at(-1)!];
  const inner = a.shape.at(options.transposeA ? -2 : -1)!;
  const ofA = (k: number): number => read(a, [...batch, ...(options.transposeA ? [k, row] : [row, k])]);
  const ofB = (k: number): number => read(b, [...batch, ...(options.transposeB ? [column, k] : [k, column])]);
  return options.alpha * sum(inner, (k) => ofA(k) * ofB(k));
}

/** Appends new tokens [1, T, heads · headDim] to a cache [1, heads, capacity, headDim], which then holds totalLength tokens. */
function append(past: Tensor, added: Tensor, totalLength: Tensor): Tensor {
  const [, heads, , headDim] = past.shape as [number, number, number, number];
  const data = past.data.slice();
  const first = totalLength.data[0]! - added.shape[1]!;
  for (const [, token, feature] of coordinates(added.shape) as Iterable<[number, number, number]>) {
    const place = [0, Math.floor(feature / headDim) % heads, first + token, feature % headDim];
    data[offset(past.shape, place)] = read(added, [0, token, feature]);
  }
  return { shape: past.shape, data };
}

function sum(count: number, term: (k: number) => number): number {
  let total = 0;
  for (let k = 0; k < count; k++) total += term(k);
  return total;
}

function generate(shape: Shape, at: (coordinates: readonly number[]) => number): Float64Array {
  return Float64Array.from(coordinates(shape), at);
}

function* coordinates(shape: Shape): Generator<number[]> {
  for (let index = 0; index < elementCount(shape); index++) {
    let rest = index;
    yield shape.map((_, axis) => {
      const stride = elementCount(shape.slice(axis + 1));
      const coordinate = Math.floor(rest / stride);
      rest -= coordinate * stride;
      return coordinate;
    });
  }
}

/** The offset of coordinates; those of broadcast axes count as 0, and extra axes on the left are ignored. */
function offset(shape: Shape, at: readonly number[]): number {
  const skipped = at.length - shape.length;
  return shape.reduce((index, length, axis) => index * length + (length === 1 ? 0 : at[axis + skipped]!), 0);
}

function read({ shape, data }: Tensor, at: readonly number[]): number {
  return data[offset(shape, at)]!;
}

function rows({ shape, data }: Tensor): number[][] {
  const width = shape.at(-1)!;
  return Array.from({ length: data.length / width }, (_, row) => [...data.slice(row * width, (row + 1) * width)]);
}
