/** @file 16-bit floats: IEEE binary16 and bfloat16. Every 16-bit value is exact in fp32. */

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** All 65,536 half-precision values, created on first use. */
let halfTable: Float32Array | undefined;

function halfValues(): Float32Array {
  halfTable ??= Float32Array.from({ length: 0x10000 }, (_, half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return halfTable;
}

export function float16ToFloat32(halves: Uint16Array, into: Float32Array): void {
  const table = halfValues();
  for (let i = 0; i < halves.length; i++) into[i] = table[halves[i]!]!;
}

/** The half-precision value whose two bytes begin at `at`. */
export function float16At(bytes: Uint8Array, at: number): number {
  return halfValues()[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

export function bfloat16ToFloat32(values: Uint16Array, into: Float32Array): void {
  const words = new Uint32Array(into.buffer, into.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) words[i] = values[i]! << 16;
}

/** Rounds to nearest, ties to even; NaN stays NaN. */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const upper = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    upper[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return upper;
}

/** Rounds to nearest, ties to even; values that round to more than 65,504 become infinity. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = toHalf(values[i]!);
  return halves;
}

function toHalf(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65,536 and more
  if (magnitude < 0x38800000) return sign | roundedSubnormal(Math.abs(value)); // less than 2^−14
  // Rebias the exponent by 112 and drop 13 bits of the fraction; a carry into the exponent is correct.
  const rebased = magnitude - 0x38000000;
  return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
}

function roundedSubnormal(magnitude: number): number {
  const scaled = magnitude * 2 ** 24;
  const down = Math.floor(scaled);
  const rest = scaled - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
