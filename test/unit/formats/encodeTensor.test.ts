import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeTensor } from '../../../src/core/formats/decodeTensor.js';
import { encodeTensor, type WrittenType } from '../../../src/core/formats/encodeTensor.js';
import { parseGguf } from '../../../src/core/formats/gguf.js';
import { ggufValue, outlineGguf } from '../../../src/core/formats/ggufHeader.js';
import { parseSafetensors } from '../../../src/core/formats/safetensors.js';
import { goldenPath, goldenSource, memorySource } from './memorySource.js';

// Made by test/golden/make_export.py from the gguf library.
const file = 'export/values.safetensors';
const { tensors } = parseSafetensors(goldenSource(file));
const bytes = readFileSync(goldenPath(file));
function golden(name: string): Uint8Array {
  const { offset, byteLength } = tensors.get(name)!;
  return Uint8Array.from(bytes.subarray(offset, offset + byteLength));
}
const values = new Float32Array(golden('values').buffer);

const types: WrittenType[] = ['F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1'];

test.each(types)('%s is the gguf library’s, byte for byte', (type) => {
  const encoded = encodeTensor(type, values.slice());
  const expected = golden(type);
  expect(encoded.length).toBe(expected.length);
  expect(encoded.findIndex((byte, at) => byte !== expected[at])).toBe(-1);
});

test('bfloat16 keeps NaN, and rounds up to infinity only what is nearer to it', () => {
  const edges = Float32Array.of(NaN, 3.4e38, 3.38e38, -0);
  const encoded = new Uint16Array(encodeTensor('BF16', edges).buffer);
  expect([...encoded].map((word) => word.toString(16))).toEqual(['7fc0', '7f80', '7f7e', '8000']);
});

test('a GGUF file that is written reads the same', () => {
  const shapes = [[2, 32], [5], [3, 64]];
  const metadata = new Map([
    ['general.architecture', ggufValue.string('llama 模型')],
    ['a.uint32', ggufValue.uint32(4_000_000_000)],
    ['a.float32', ggufValue.float32(0.15625)],
    ['a.bool', ggufValue.bool(true)],
    ['a.strings', ggufValue.strings(['', '▁a'])],
    ['a.int32s', ggufValue.int32s([-1, 2])],
    ['a.float32s', ggufValue.float32s([-0.5, 2])],
  ]);
  const written = shapes.map((shape, index) => ({ name: `t${index}`, type: (['Q8_0', 'F32', 'Q4_0'] as const)[index]!, shape }));
  const { header, offsets, byteLength } = outlineGguf(metadata, written);
  const whole = new Uint8Array(byteLength);
  whole.set(header);
  written.forEach(({ type, shape }, index) => {
    const elements = shape.reduce((product, length) => product * length, 1);
    whole.set(encodeTensor(type, values.slice(0, elements)), offsets[index]);
  });

  const source = memorySource(whole);
  const { metadata: read, tensors: found, ranges } = parseGguf(source);
  expect(Object.fromEntries(read)).toEqual({
    'general.architecture': 'llama 模型',
    'a.uint32': 4_000_000_000,
    'a.float32': 0.15625,
    'a.bool': true,
    'a.strings': ['', '▁a'],
    'a.int32s': [-1, 2],
    'a.float32s': [-0.5, 2],
  });
  for (const [key, value] of metadata) {
    const { offset, byteLength: length } = ranges.get(key)!;
    expect(whole.slice(offset, offset + length), key).toEqual(value);
  }
  expect([...found.values()].map(({ name, type, shape }) => ({ name, type, shape }))).toEqual(written);
  const floats = new Float32Array(5);
  decodeTensor(source, { ...found.get('t1')!, storedType: 'F32' }, floats);
  expect(floats).toEqual(values.slice(0, 5));
});
