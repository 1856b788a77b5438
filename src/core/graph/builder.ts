/** @file Builds values. Equal expressions become one value, so nothing is ever computed twice. */
import { elementCount, sameShape, type Shape } from '../shape.js';
import { inferResult } from './ops.js';
import type { CachedAttentionAttributes, DType, OpAttributes, OpName, QuantizedAttributes, Value } from './types.js';

type Computed = Exclude<OpName, 'input' | 'constant'>;

export class GraphBuilder {
  private nextId = 0;
  private readonly known = new Map<string, Value>();
  private scope = '';

  /** Everything that `build` creates carries the scope's name. */
  within<T>(scope: string, build: () => T): T {
    const outer = this.scope;
    this.scope = outer === '' ? scope : `${outer}/${scope}`;
    try {
      return build();
    } finally {
      this.scope = outer;
    }
  }

  /** Gradients carry the scope of the value they belong to. */
  withinScopeOf<T>(value: Value, build: () => T): T {
    const outer = this.scope;
    this.scope = value.scope.endsWith('′') ? value.scope : `${value.scope}′`;
    try {
      return build();
    } finally {
      this.scope = outer;
    }
  }

  input(name: string, shape: Shape, dtype: DType = 'float32'): Value {
    return this.intern('input', [], { name }, { dtype, shape });
  }

  constant(values: readonly number[], shape: Shape, dtype: DType = 'float32'): Value {
    if (values.length !== elementCount(shape)) throw new Error(`internal: ${values.length} values for [${shape}]`);
    return this.intern('constant', [], { values }, { dtype, shape });
  }

  scalar(value: number, dtype: DType = 'float32'): Value {
    return this.constant([value], [], dtype);
  }

  zeros(shape: Shape, dtype: DType = 'float32'): Value {
    return this.broadcastTo(this.scalar(0, dtype), shape);
  }

  /** The only way in which operations enter the graph. */
  apply<K extends Computed>(op: K, inputs: readonly Value[], attributes: OpAttributes[K]): Value<K> {
    return this.intern(op, inputs, attributes, inferResult[op](inputs, attributes as never));
  }

  add = (a: Value, b: Value): Value => this.apply('add', [a, b], {});
  subtract = (a: Value, b: Value): Value => this.apply('subtract', [a, b], {});
  multiply = (a: Value, b: Value): Value => this.apply('multiply', [a, b], {});
  divide = (a: Value, b: Value): Value => this.apply('divide', [a, b], {});
  negate = (x: Value): Value => this.apply('negate', [x], {});
  log = (x: Value): Value => this.apply('log', [x], {});
  sqrt = (x: Value): Value => this.apply('sqrt', [x], {});
  floor = (x: Value): Value => this.apply('floor', [x], {});
  sigmoid = (x: Value): Value => this.apply('sigmoid', [x], {});
  equal = (a: Value, b: Value): Value => this.apply('equal', [a, b], {});
  lessOrEqual = (a: Value, b: Value): Value => this.apply('lessOrEqual', [a, b], {});
  where = (condition: Value, a: Value, b: Value): Value => this.apply('where', [condition, a, b], {});
  cast = (x: Value, to: DType): Value => (x.dtype === to ? x : this.apply('cast', [x], { to }));
  scale = (x: Value, factor: number): Value => (factor === 1 ? x : this.multiply(x, this.scalar(factor, x.dtype)));

  matmul(a: Value, b: Value, options: Partial<OpAttributes['matmul']> = {}): Value {
    return this.apply('matmul', [a, b], { transposeA: false, transposeB: false, alpha: 1, ...options });
  }
  gemm = (a: Value, b: Value, c: Value, attributes: OpAttributes['gemm']): Value => this.apply('gemm', [a, b, c], attributes);
  quantizedMatmul = (x: Value, weight: readonly Value[], attributes: QuantizedAttributes): Value =>
    this.apply('quantizedMatmul', [x, ...weight], attributes);
  /** `minimums` is optional. */
  dequantize = (bits: 4 | 8, codes: Value, scales: Value, minimums?: Value): Value =>
    this.apply('dequantize', minimums ? [codes, scales, minimums] : [codes, scales], { bits });

  /** `weight` is codes, scales, reverseCodes and reverseScales. */
  integerMatmul = (x: Value, weight: readonly Value[]): Value => this.apply('integerMatmul', [x, ...weight], {});
  largestLast = (x: Value): Value => this.apply('largestLast', [x], {});
  roundRows = (x: Value, scale: Value): Value => this.apply('roundRows', [x, scale], {});
  roundShares = (x: Value): Value => this.apply('roundShares', [x], {});
  integerProduct = (a: Value, codes: Value, scales: Value, attributes: OpAttributes['integerProduct']): Value =>
    this.apply('integerProduct', [a, codes, scales], attributes);
  roundedMatmul = (x: Value, codes: Value, scales: Value): Value => this.apply('roundedMatmul', [x, codes, scales], {});

  reshape = (x: Value, shape: Shape): Value => (sameShape(x.shape, shape) ? x : this.apply('reshape', [x], { shape }));
  transpose = (x: Value, permutation: readonly number[]): Value =>
    permutation.every((axis, i) => axis === i) ? x : this.apply('transpose', [x], { permutation });
  broadcastTo = (x: Value, shape: Shape): Value => (sameShape(x.shape, shape) ? x : this.apply('broadcastTo', [x], { shape }));
  slice = (x: Value, axis: number, start: number, end: number): Value =>
    start === 0 && end === x.shape[axis] ? x : this.apply('slice', [x], { axis, start, end });
  concat = (inputs: readonly Value[], axis: number): Value =>
    inputs.length === 1 ? inputs[0]! : this.apply('concat', inputs, { axis });
  /** Zeros shaped like x except for the length of one axis; an empty list if that length is 0. */
  padding = (x: Value, axis: number, length: number): Value[] =>
    length === 0
      ? []
      : [
          this.zeros(
            x.shape.map((own, i) => (i === axis ? length : own)),
            x.dtype,
          ),
        ];
  /** Pieces of the given lengths along an axis. */
  split(x: Value, axis: number, lengths: readonly number[]): Value[] {
    if (lengths.length === 1) return [x];
    let start = 0;
    return lengths.map((length) => this.slice(x, axis, start, (start += length)));
  }
  /** The summed axes remain, with length 1. */
  reduceSum = (x: Value, axes: readonly number[]): Value =>
    axes.every((axis) => x.shape[axis] === 1) ? x : this.apply('reduceSum', [x], { axes });
  sumLast = (x: Value): Value => this.reduceSum(x, [x.shape.length - 1]);
  maxLast = (x: Value): Value => this.apply('maxLast', [x], {});
  gatherRows = (table: Value, indices: Value): Value => this.apply('gatherRows', [table, indices], {});
  scatterAddRows = (base: Value, indices: Value, updates: Value): Value =>
    this.apply('scatterAddRows', [base, indices, updates], {});

  softmax = (x: Value): Value => this.apply('softmax', [x], {});
  logSumExp = (x: Value): Value => this.apply('logSumExp', [x], {});
  silu = (x: Value): Value => this.apply('silu', [x], {});
  swiglu = (gate: Value, up: Value): Value => this.apply('swiglu', [gate, up], {});
  rmsNorm = (x: Value, weight: Value, epsilon: number): Value => this.apply('rmsNorm', [x, weight], { epsilon });
  inverseRms = (norm: Value): Value => this.apply('inverseRms', [norm], {});
  rope = (x: Value, positionIds: Value, cos: Value, sin: Value, inverse = false): Value =>
    this.apply('rope', [x, positionIds, cos, sin], { inverse });
  attention = (query: Value, key: Value, value: Value, masks: readonly Value[], attributes: OpAttributes['attention']): Value =>
    this.apply('attention', [query, key, value, ...masks], attributes);
  cachedAttention(inputs: readonly Value[], attributes: CachedAttentionAttributes): { output: Value; key: Value; value: Value } {
    const output = this.apply('cachedAttention', inputs, attributes);
    return { output, key: this.apply('presentKey', [output], {}), value: this.apply('presentValue', [output], {}) };
  }

  tokensAt = (x: Value, indices: Value): Value => this.apply('tokensAt', [x, indices], {});

  private intern<K extends OpName>(
    op: K,
    inputs: readonly Value[],
    attributes: OpAttributes[K],
    result: { dtype: DType; shape: Shape },
  ): Value<K> {
    const key = `${op}(${inputs.map((x) => x.id).join()})${JSON.stringify(attributes, exactNumber)}:${result.dtype}[${result.shape.join()}]`;
    const known = this.known.get(key);
    if (known) return known as Value<K>;
    const value: Value<K> = { id: this.nextId++, op, attributes, inputs, ...result, scope: this.scope };
    this.known.set(key, value);
    return value;
  }
}

/** JSON writes null for non-finite numbers, and 0 for −0. */
function exactNumber(_key: string, value: unknown): unknown {
  if (Object.is(value, -0)) return '−0';
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
