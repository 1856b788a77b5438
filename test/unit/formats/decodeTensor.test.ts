import { describe, expect, test } from 'vitest';
import { checkFinite16, decodeTensor } from '../../../src/core/formats/decodeTensor.js';
import { float32ToFloat16 } from '../../../src/core/formats/float16.js';
import { parseGguf } from '../../../src/core/formats/gguf.js';
import { parseSafetensors } from '../../../src/core/formats/safetensors.js';
import { elementCount } from '../../../src/core/shape.js';
import { goldenSource, memorySource, userErrorOf } from './memorySource.js';

/** A float tensor from a golden safetensors file. */
function golden(file: string, name: string): Float32Array {
  const source = goldenSource(file);
  const entry = parseSafetensors(source).tensors.get(name)!;
  const values = new Float32Array(elementCount(entry.shape));
  decodeTensor(source, { ...entry, storedType: entry.type as 'F32' | 'F16' | 'BF16' }, values);
  return values;
}

/** Compares bits, so that −0 differs from 0. */
const bitsOf = ({ buffer, byteOffset, length }: Float32Array) => new Uint32Array(buffer, byteOffset, length);

describe('GGUF blocks decode to the very numbers of the gguf library', () => {
  const source = goldenSource('formats/blocks.gguf');
  const { tensors } = parseGguf(source);
  const types = ['F32', 'F16', 'BF16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'];

  test('the golden holds every type', () => expect([...tensors.keys()].sort()).toEqual([...types].sort()));

  test.each(types)('%s', (type) => {
    const tensor = tensors.get(type)!;
    const expected = golden('formats/blocks.safetensors', type);
    const values = new Float32Array(expected.length);
    decodeTensor(source, { ...tensor, storedType: tensor.type }, values);
    // Compared as numbers: whether a product with zero is −0 depends on the order in which a library multiplies.
    expect(values.findIndex((value, i) => value !== expected[i])).toBe(-1);
    expect(expected.some((value) => value !== 0)).toBe(true);
  });
});

describe('16-bit floats', () => {
  test.each(['float16', 'bfloat16'])('%s widens as in PyTorch', (type) => {
    expect(bitsOf(golden('formats/floats.safetensors', type))).toEqual(
      bitsOf(golden('formats/floats.safetensors', `from_${type}`)),
    );
  });

  test('float32ToFloat16 rounds as PyTorch does', () => {
    const source = goldenSource('formats/floats.safetensors');
    const { offset, byteLength } = parseSafetensors(source).tensors.get('float16')!;
    const stored = new Uint8Array(byteLength);
    source.read(offset, stored);
    expect(float32ToFloat16(golden('formats/floats.safetensors', 'float32'))).toEqual(new Uint16Array(stored.buffer));
    expect([...float32ToFloat16(Float32Array.of(65520, -1e30, Infinity))]).toEqual([0x7c00, 0xfc00, 0x7c00]);
  });
});

describe('weights that are no numbers', () => {
  const stored = (type: 'F32' | 'F16' | 'BF16', last: number) => {
    const bytes = new Uint8Array(type === 'F32' ? 16 : 8);
    const view = new DataView(bytes.buffer);
    if (type === 'F32') view.setUint32(12, last, true);
    else view.setUint16(6, last, true);
    const tensor = { name: 'w', storedType: type, offset: 0, byteLength: bytes.length };
    return userErrorOf(() => decodeTensor(memorySource(bytes, 'model.file'), tensor, new Float32Array(4)));
  };

  test.each([
    ['F32', 'NaN', 0x7fc00000],
    ['F32', '−Infinity', 0xff800000],
    ['F16', 'NaN', 0x7e00],
    ['F16', 'Infinity', 0x7c00],
    ['BF16', 'NaN', 0x7fc0],
    ['BF16', '−Infinity', 0xff80],
  ] as const)('%s %s is refused with tensor and file', (type, _, bits) => {
    expect(stored(type, bits).message).toMatch(/^model\.file: the weight w contains NaN or infinite values/);
    if (type === 'F32') return;
    const asStored = (last: number) => () => checkFinite16('model.file', 'w', Uint16Array.of(0, 0x3c00, last), type);
    expect(asStored(bits)).toThrow(/^model\.file: the weight w contains NaN or infinite values/);
    expect(asStored(type === 'F16' ? 0xfbff : 0xff7f), 'the largest number').not.toThrow();
  });
});
