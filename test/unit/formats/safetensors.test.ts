import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeTensor } from '../../../src/core/formats/decodeTensor.js';
import type { HostTensor } from '../../../src/core/formats/hostTensor.js';
import { parseSafetensors, safetensorsBytes } from '../../../src/core/formats/safetensors.js';
import { fixturePath, goldenPath, goldenSource, memorySource, userErrorOf } from './memorySource.js';

/** A file with this header and `dataLength` bytes of data. */
function fileWith(header: unknown, dataLength: number, claimedLength?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, claimedLength ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const defectOf = (bytes: Uint8Array) => userErrorOf(() => parseSafetensors(memorySource(bytes)));
const pair = (first: [number, number], second: [number, number]) => ({
  a: { dtype: 'U8', shape: [first[1] - first[0]], data_offsets: first },
  b: { dtype: 'U8', shape: [second[1] - second[0]], data_offsets: second },
});

describe("the reference library's files", () => {
  test('every type, an empty tensor and a scalar', () => {
    const { tensors } = parseSafetensors(goldenSource('formats/types.safetensors'));
    const found = Object.fromEntries([...tensors].map(([name, { type, shape }]) => [name, `${type} [${shape.join(', ')}]`]));
    const types = ['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'I64', 'I32', 'I16', 'I8', 'U8', 'BOOL'];
    expect(found).toEqual({
      ...Object.fromEntries(types.map((type) => [type, `${type} [3, 5]`])),
      empty: 'F32 [0, 4]',
      scalar: 'F32 []',
    });
    const scalar = new Float32Array(1);
    decodeTensor(goldenSource('formats/types.safetensors'), { ...tensors.get('scalar')!, storedType: 'F32' }, scalar);
    expect(scalar[0]).toBe(0.5);
  });

  test.each([
    ['model.safetensors', fixturePath('models/gqa-tied/model.safetensors')],
    ['adapter_model.safetensors', goldenPath('adapters/rslora/adapter_model.safetensors')],
    ['without metadata', goldenPath('adapters/rslora.safetensors')],
  ])('written again come out byte for byte: %s', (_, path) => {
    const bytes = readFileSync(path);
    const source = memorySource(bytes);
    const { tensors, metadata } = parseSafetensors(source);
    // In a different order from the file's, because ours must not depend on it.
    const content = new Map<string, HostTensor>();
    for (const entry of [...tensors.values()].reverse()) {
      const data = new Float32Array(entry.byteLength / 4);
      decodeTensor(source, { ...entry, storedType: 'F32' }, data);
      content.set(entry.name, { shape: entry.shape, data });
    }
    expect(Buffer.concat(safetensorsBytes(content, metadata)).equals(bytes)).toBe(true);
  });
});

describe('a damaged file is refused with its name and the defect', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['shorter than the length of its header', new Uint8Array(7), /7 bytes, fewer/],
    ['header of 2^60 bytes', fileWith({}, 0, 2n ** 60n), /1152921504606846976 bytes/],
    ['header longer than the file', fileWith({}, 0, 1000n), /claims 1000 bytes/],
    ['header no JSON', fileWith('{"a":', 0), /not valid JSON/],
    ['header no UTF-8', new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff]), /not valid JSON: it is not in UTF-8/],
    ['header no object', fileWith([], 0), /no JSON object/],
    ['metadata no text', fileWith({ __metadata__: { a: 1 } }, 0), /__metadata__/],
    ['entry null', fileWith({ a: null }, 0), /tensor a has the unknown type missing/],
    ['unknown type', fileWith({ a: { dtype: 'Q7', shape: [1], data_offsets: [0, 1] } }, 1), /unknown type "Q7"/],
    ['type no text', fileWith({ a: { dtype: { toString: 1 } } }, 1), /unknown type an object/],
    ['negative length', fileWith({ a: { dtype: 'U8', shape: [-1], data_offsets: [0, 1] } }, 1), /no valid shape/],
    ['length no whole number', fileWith({ a: { dtype: 'U8', shape: [1.5], data_offsets: [0, 1] } }, 1), /no valid shape/],
    ['offsets backwards', fileWith({ a: { dtype: 'U8', shape: [1], data_offsets: [1, 0] } }, 1), /no valid data_offsets/],
    ['three offsets', fileWith({ a: { dtype: 'U8', shape: [1], data_offsets: [0, 1, 2] } }, 1), /no valid data_offsets/],
    ['size not of its shape', fileWith({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, 4), /needs 8 bytes .* given 4/],
    ['size beyond counting', fileWith({ a: { dtype: 'F32', shape: [2 ** 50, 2 ** 50], data_offsets: [0, 0] } }, 0), /needs/],
    ['end beyond the file', fileWith({ a: { dtype: 'U8', shape: [9], data_offsets: [0, 9] } }, 8), /beyond the end/],
    ['overlap', fileWith(pair([0, 4], [3, 7]), 7), /tensor b overlaps/],
    ['gap', fileWith(pair([0, 4], [5, 7]), 7), /tensor b leaves a gap/],
    ['trailing bytes', fileWith(pair([0, 4], [4, 7]), 9), /2 bytes follow/],
    ['unknown field', fileWith({ a: { dtype: 'U8', shape: [1], data_offsets: [0, 1], more: {} } }, 1), /more than dtype/],
    [
      'tensor twice',
      fileWith('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0),
      /name twice/,
    ],
    ['field twice', fileWith('{"a":{"dtype":"U8","shape":[9],"shape":[0],"data_offsets":[0,0]}}', 0), /name twice/],
    ['a JSON bomb', fileWith(`{"a":[${'[],'.repeat(3_000_000)}0]}`, 0), /its header holds more than any file/],
    [
      'a deep JSON bomb',
      fileWith(`{"a":{"dtype":${'['.repeat(900_000)}${']'.repeat(900_000)}}}`, 0),
      /its header is nested more than 64 deep/,
    ],
  ])('%s', (_, bytes, defect) => {
    const error = defectOf(bytes);
    expect(error.code).toBe('file-corrupt');
    expect(error.message).toMatch(defect);
    expect(error.message).toMatch(/^some-file /);
  });

  test('names that JSON.parse could mistake are names like others', () => {
    const header =
      '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a:\\"[{,":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}';
    expect([...parseSafetensors(memorySource(fileWith(header, 1))).tensors.keys()]).toEqual(['__proto__', 'a:"[{,']);
  });
});
