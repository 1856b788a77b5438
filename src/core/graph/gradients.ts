/**
 * @file The vector-Jacobian product of every operation. A rule takes y = op(inputs) and dy and returns dL/dinput for each input,
 * or undefined if the input is not differentiable. The walker (autodiff.ts) undoes broadcasting and prunes frozen paths.
 */
import { attentionBackward } from './attention.js';
import type { GraphBuilder } from './builder.js';
import type { OpName, Value } from './types.js';

type Rule<K extends OpName> = (b: GraphBuilder, y: Value<K>, dy: Value, ...inputs: Value[]) => readonly (Value | undefined)[];

export type Gradient<K extends OpName> =
  | { readonly kind: 'rule'; readonly rule: Rule<K> }
  /** The derivative is zero almost everywhere, or the value does not depend on anything: no gradient flows, as it should be. */
  | { readonly kind: 'none'; readonly reason: string }
  /** Asking for this derivative is a bug in our code. */
  | { readonly kind: 'forbidden'; readonly reason: string };

const rule = <K extends OpName>(rule: Rule<K>): Gradient<K> => ({ kind: 'rule', rule });
const none = <K extends OpName>(reason: string): Gradient<K> => ({ kind: 'none', reason });
const forbidden = <K extends OpName>(reason: string): Gradient<K> => ({ kind: 'forbidden', reason });

export const gradients: { readonly [K in OpName]: Gradient<K> } = {
  input: none('a leaf'),
  constant: none('a leaf'),

  // d(a + b) = da + db
  add: rule((_b, _y, dy) => [dy, dy]),
  // d(a − b) = da − db
  subtract: rule((b, _y, dy) => [dy, b.negate(dy)]),
  // d(ab) = b·da + a·db
  multiply: rule((b, _y, dy, x1, x2) => [b.multiply(dy, x2!), b.multiply(dy, x1!)]),
  // d(a/c) = da/c − (a/c)·dc/c
  divide: rule((b, y, dy, _x, c) => {
    const dx = b.divide(dy, c!);
    return [dx, b.negate(b.multiply(dx, y))];
  }),
  negate: rule((b, _y, dy) => [b.negate(dy)]),
  // d log(x) = dx/x
  log: rule((b, _y, dy, x) => [b.divide(dy, x!)]),
  // d √x = dx / (2√x)
  sqrt: rule((b, y, dy) => [b.scale(b.divide(dy, y), 0.5)]),
  floor: none('piecewise constant'),
  // d σ(x) = σ(1 − σ)·dx
  sigmoid: rule((b, y, dy) => [b.multiply(dy, b.subtract(y, b.multiply(y, y)))]),
  equal: none('a comparison is piecewise constant'),
  lessOrEqual: none('a comparison is piecewise constant'),
  // d where(c, a, z) = where(c, da, dz)
  where: rule((b, _y, dy, condition) => {
    const zero = b.scalar(0, dy.dtype);
    return [undefined, b.where(condition!, dy, zero), b.where(condition!, zero, dy)];
  }),
  cast: rule((b, _y, dy, x) => [b.cast(dy, x!.dtype)]),

  // Y = α·A·B:  dA = α·dY·Bᵀ,  dB = α·Aᵀ·dY; with transposed operands, the factors swap places.
  matmul: rule((b, y, dy, a, c) => {
    const { transposeA, transposeB, alpha } = y.attributes;
    return [
      transposeA
        ? b.matmul(c!, dy, { transposeA: transposeB, transposeB: true, alpha })
        : b.matmul(dy, c!, { transposeB: !transposeB, alpha }),
      transposeB
        ? b.matmul(dy, a!, { transposeA: true, transposeB: transposeA, alpha })
        : b.matmul(a!, dy, { transposeA: !transposeA, alpha }),
    ];
  }),
  gemm: forbidden('gemm is made by fusion, after differentiation'),
  quantizedMatmul: forbidden('it serves decoding only'),
  dequantize: forbidden('packed weights are frozen'),
  // dx = dy·Wᵀ, in integers as well. Rounding counts as the identity: it has no useful derivative of its own.
  integerMatmul: rule((b, _y, dy, _x, ...weight) => {
    const [codes, scales, reverseCodes, reverseScales] = weight as [Value, Value, Value, Value];
    return [b.integerMatmul(dy, [reverseCodes, reverseScales, codes, scales]), ...weight.map(() => undefined)];
  }),
  roundedMatmul: forbidden('it serves decoding only'),
  largestLast: forbidden('it stands only in the decomposition of integerMatmul, after differentiation'),
  roundRows: forbidden('it stands only in the decomposition of integerMatmul, after differentiation'),
  roundShares: forbidden('it stands only where the gradient of the logits is computed'),
  integerProduct: forbidden('it stands only where something has been rounded'),

  reshape: rule((b, _y, dy, x) => [b.reshape(dy, x!.shape)]),
  // The inverse permutation.
  transpose: rule((b, y, dy) => {
    const { permutation } = y.attributes;
    return [
      b.transpose(
        dy,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
    ];
  }),
  // The walker sums over the broadcast axes.
  broadcastTo: rule((_b, _y, dy) => [dy]),
  // Zeros on both sides of the slice.
  slice: rule((b, y, dy, x) => {
    const { axis, start, end } = y.attributes;
    return [b.concat([...b.padding(dy, axis, start), dy, ...b.padding(dy, axis, x!.shape[axis]! - end)], axis)];
  }),
  // Each input gets its own slice.
  concat: rule((b, y, dy, ...inputs) => {
    const { axis } = y.attributes;
    let start = 0;
    return inputs.map((x) => b.slice(dy, axis, start, (start += x.shape[axis]!)));
  }),
  reduceSum: rule((b, _y, dy, x) => [b.broadcastTo(dy, x!.shape)]),
  maxLast: forbidden('it stands only in the decomposition of logSumExp, after differentiation'),
  // d table[indices]: each row of dy is added to the table row it came from
  gatherRows: rule((b, _y, dy, table, indices) => [b.scatterAddRows(b.zeros(table!.shape, dy.dtype), indices!, dy), undefined]),
  scatterAddRows: rule((b, _y, dy, _base, indices) => [dy, undefined, b.gatherRows(dy, indices!)]),

  // dx = y ⊙ (dy − Σ dy ⊙ y)
  softmax: rule((b, y, dy) => [b.multiply(y, b.subtract(dy, b.sumLast(b.multiply(dy, y))))]),
  // d log Σ exp(x) = softmax(x)·dx
  logSumExp: rule((b, _y, dy, x) => [b.multiply(b.softmax(x!), dy)]),
  // d x·σ(x) = σ + x·σ·(1 − σ)
  silu: rule((b, y, dy, x) => {
    const s = b.sigmoid(x!);
    return [b.multiply(dy, b.add(s, b.subtract(y, b.multiply(y, s))))];
  }),
  // y = a·u with a = silu(g) = g·σ:  du = dy·a,  dg = dy·u·(σ + a − a·σ) = dy·(y + σ·(u − y))
  swiglu: rule((b, y, dy, gate, up) => {
    const dGate = b.multiply(dy, b.add(y, b.multiply(b.sigmoid(gate!), b.subtract(up!, y))));
    return [dGate, b.multiply(dy, b.silu(gate!))]; // y and silu are shared with the forward pass if that is recomputed
  }),
  // With ρ = 1/√(mean(x²) + ε):  dx = ρ·(dy ⊙ w − x·ρ·mean(dy ⊙ y)), since y = ρ·w ⊙ x;  dw = Σ_rows dy ⊙ x·ρ
  rmsNorm: rule((b, y, dy, x, weight) => {
    const rho = b.inverseRms(y);
    const mean = b.scale(b.sumLast(b.multiply(dy, y)), 1 / x!.shape.at(-1)!);
    const dx = b.multiply(b.subtract(b.multiply(dy, weight!), b.multiply(x!, b.multiply(mean, rho))), rho);
    return [dx, b.multiply(dy, b.multiply(x!, rho))];
  }),
  inverseRms: forbidden('it stands only in the derivative of rmsNorm'),
  // The transpose of a rotation is its inverse.
  rope: rule((b, y, dy, _x, positionIds, cos, sin) => [
    b.rope(dy, positionIds!, cos!, sin!, !y.attributes.inverse),
    undefined,
    undefined,
    undefined,
  ]),
  attention: rule((b, y, dy, ...inputs) => [
    ...attentionBackward(b, inputs, y, dy, y.attributes),
    ...inputs.slice(3).map(() => undefined),
  ]),
  cachedAttention: forbidden('it serves decoding only'),
  presentKey: forbidden('it serves decoding only'),
  presentValue: forbidden('it serves decoding only'),
  tokensAt: forbidden('it serves decoding only'),
};
