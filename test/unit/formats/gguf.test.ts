import { describe, expect, test } from 'vitest';
import { parseGguf } from '../../../src/core/formats/gguf.js';
import { bytes, ggufFile, text, u32, u64, type GgufParts } from './ggufFile.js';
import { goldenSource, memorySource, userErrorOf } from './memorySource.js';

const matrix = { name: 'w', lengths: [32, 2], type: 0, offset: 0 };

describe("the gguf library's file", () => {
  const { metadata, tensors } = parseGguf(goldenSource('formats/blocks.gguf'));

  test('metadata of every kind', () => {
    const entries = Object.fromEntries([...metadata].filter(([key]) => key.startsWith('test.')));
    expect(entries).toEqual({
      'test.uint8': 200,
      'test.int8': -100,
      'test.uint16': 60000,
      'test.int16': -30000,
      'test.uint32': 4_000_000_000,
      'test.int32': -2_000_000_000,
      'test.uint64': 2n ** 64n - 1n,
      'test.int64': -(2n ** 63n),
      'test.float32': 0.15625,
      'test.float64': 0.1,
      'test.true': true,
      'test.false': false,
      'test.string': '\ufeff▁微调 😀',
      'test.strings': ['', 'a', '<0x0A>'],
      'test.floats': [0.5, -1.5],
      'test.nested': [[1, 2], [3]],
    });
    expect(metadata.get('general.architecture')).toBe('none');
  });

  test('shapes are row-major', () => {
    expect(tensors.get('F32')!.shape).toEqual([3, 7]);
    expect(tensors.get('Q4_0')).toMatchObject({ type: 'Q4_0', shape: [3, 64], byteLength: 3 * 2 * 18 });
    expect(tensors.get('Q6_K')).toMatchObject({ shape: [3, 512], byteLength: 3 * 2 * 210 });
  });

  test('version 2 reads the same', () => {
    const parts: GgufParts = { metadata: [['a', 4, u32(7)]], tensors: [matrix], dataLength: 256 };
    expect(parseGguf(memorySource(ggufFile({ ...parts, version: 2 })))).toEqual(parseGguf(memorySource(ggufFile(parts))));
  });
});

describe('a damaged file is refused with its name and the defect', () => {
  const huge = 2n ** 63n;
  const array = (type: number, count: bigint, content: Uint8Array) => bytes(u32(type), u64(count), content);
  const nested = (depth: number): Uint8Array => (depth === 0 ? array(4, 0n, u32()) : array(9, 1n, nested(depth - 1)));
  const withTensor = (change: Partial<typeof matrix>): GgufParts => ({
    tensors: [{ ...matrix, ...change }],
    dataLength: 256,
  });

  test.each<[string, GgufParts, RegExp]>([
    ['another file', { magic: 'GGML' }, /does not start with GGUF/],
    ['version 1', { version: 1 }, /GGUF version 1; versions 2 and 3/],
    ['overflowing number of tensors', { tensorCount: huge }, /number of tensors is 9223372036854775808/],
    ['absurd number of tensors', { tensorCount: 100_001n }, /claims 100001 tensors/],
    ['overflowing number of metadata', { metadataCount: 2n ** 64n - 1n }, /metadata entries is 18446744073709551615/],
    ['more metadata than bytes', { metadataCount: 90_000n }, /claims 90000 metadata/],
    ['cut off in its header', { metadataCount: 2n, metadata: [['a', 4, u32(1)]] }, /ends in the middle/],
    ['overflowing string', { metadata: [['a', 8, u64(huge)]] }, /length of a string is/],
    ['absurd string', { metadata: [['a', 8, u64(2n ** 40n)]] }, /string of 1099511627776 bytes/],
    ['string beyond the file', { metadata: [['a', 8, u64(5000n)]] }, /ends in the middle/],
    ['unknown metadata type', { metadata: [['a', 13, u32()]] }, /unknown type 13/],
    [
      'metadata twice',
      {
        metadata: [
          ['a', 4, u32(1)],
          ['a', 4, u32(2)],
        ],
      },
      /has a twice/,
    ],
    ['overflowing array', { metadata: [['a', 9, array(4, huge, u32())]] }, /length of an array is/],
    ['absurd array', { metadata: [['a', 9, array(4, 2n ** 33n, u32())]] }, /array of 8589934592/],
    ['arrays in arrays', { metadata: [['a', 9, nested(9)]] }, /nests arrays too deeply/],
    ['alignment 0', { metadata: [['general.alignment', 4, u32(0)]] }, /alignment is 0/],
    ['alignment 24', { metadata: [['general.alignment', 4, u32(24)]] }, /alignment is 24/],
    ['alignment no number', { metadata: [['general.alignment', 8, text('wide')]] }, /alignment is NaN/],
    ['no dimension', withTensor({ lengths: [] }), /w has 0 dimensions/],
    ['nine dimensions', withTensor({ lengths: [1, 1, 1, 1, 1, 1, 1, 1, 1] }), /w has 9 dimensions/],
    ['size beyond counting', withTensor({ lengths: [2 ** 40, 2 ** 40] }), /w is impossibly large/],
    ['type that we do not read', withTensor({ type: 16 }), /tensor w of ggml type 16; F32, F16/],
    ['rows that are no blocks', withTensor({ type: 2, lengths: [33] }), /do not divide into blocks of 32/],
    ['offset off the alignment', withTensor({ offset: 16 }), /not aligned to 32/],
    ['beyond the end', withTensor({ offset: 32 }), /w ends beyond the end of the file/],
    ['tensor twice', { tensors: [matrix, { ...matrix, offset: 256 }], dataLength: 512 }, /tensor w twice/],
    ['overlap', { tensors: [matrix, { ...matrix, name: 'v', offset: 128 }], dataLength: 512 }, /tensor v overlaps/],
  ])('%s', (_, parts, defect) => {
    const error = userErrorOf(() => parseGguf(memorySource(ggufFile(parts))));
    expect(['file-corrupt', 'file-unsupported']).toContain(error.code);
    expect(error.message).toMatch(defect);
    expect(error.message).toMatch(/^some-file /);
  });

  test('many small arrays cannot add up to more than memory', () => {
    const one = array(0, 3_000_000n, new Uint8Array(3_000_000));
    const file = ggufFile({ metadata: ['a', 'b', 'c'].map((key) => [key, 9, one]) });
    expect(userErrorOf(() => parseGguf(memorySource(file))).message).toMatch(/array of 3000000/);
  });
});
