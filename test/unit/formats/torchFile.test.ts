import { describe, expect, test } from 'vitest';
import { parseTorchFile } from '../../../src/core/formats/torchFile.js';
import { readTensorFile } from '../../../src/files/tensorFile.js';
import { goldenPath, goldenSource, memorySource, userErrorOf } from './memorySource.js';
import {
  dictionaryOf,
  integer,
  joined,
  long,
  named,
  op,
  pickle,
  tensor,
  text,
  torchFile,
  tuple,
  u64,
  zip,
  type ZipPart,
} from './torchArchive.js';

const parse = (bytes: Uint8Array) => parseTorchFile(memorySource(bytes, 'model.pth')).tensors;

describe('tensors are those that torch saved', () => {
  // Made by test/golden/make_torch.py. Views into one storage, several types, a parameter, an empty tensor.
  test.each(['tensors.pth', 'tensors-protocol-4.pth'])('%s', (name) => {
    const read = readTensorFile(goldenPath(`torch/${name}`));
    const expected = readTensorFile(goldenPath('torch/tensors.safetensors'));
    expect(new Map([...read].sort())).toEqual(new Map([...expected].sort()));
    const places = parseTorchFile(goldenSource(`torch/${name}`)).tensors;
    expect(places.get('view')!.offset - places.get('whole')!.offset).toBe(5 * 4);
  });

  test('a state_dict with attributes, parameters and a shared head', () => {
    const { tensors } = parseTorchFile(goldenSource('torch/bin-tied/pytorch_model.bin'));
    expect(tensors.get('lm_head.weight')).toMatchObject({ offset: tensors.get('model.embed_tokens.weight')!.offset });
  });

  test('integers are known by type', () => {
    const { tensors } = parseTorchFile(goldenSource('torch/integers.pth'));
    expect(tensors.get('numbers')).toMatchObject({ type: 'I64', shape: [3], byteLength: 24 });
  });

  test('archives written by hand, as the tests below change them', () => {
    expect(parse(torchFile(dictionaryOf(tensor()))).get('a')).toMatchObject({ type: 'F32', shape: [4], byteLength: 16 });
  });
});

describe('files that torch saved and that are not read', () => {
  test.each([
    ['torch/transposed.pth', /the tensor transposed is not stored row by row; save it with \.contiguous\(\)/],
    ['torch/nested.pth', /its entry "model" is not a tensor/],
    ['torch/module.pth', /it names "torch\.nn\.modules\.linear\.Identity", which is not part of a tensor\. It was not run/],
    ['torch/old.pth', /has the format of PyTorch before 1\.6, which is not read\. Load it with torch\.load and save it with/],
  ])('%s', (name, reason) => {
    expect(userErrorOf(() => parseTorchFile(goldenSource(name))).message).toMatch(reason);
  });
});

const code = (module: string, name: string, ...items: Uint8Array[]) =>
  pickle(named(module, name), tuple(...items), op.reduce, op.stop);
const short = (value: string) => joined(Uint8Array.of(0x8c, value.length), new TextEncoder().encode(value));
const whole = torchFile(dictionaryOf(tensor()));
const largest = 2n ** 62n;

describe('hostile archives: one sentence, nothing is run, nothing large is allocated', () => {
  const pickles: [string, Uint8Array, RegExp][] = [
    ['a command', code('os', 'system', text('touch /tmp/ran')), /it names "os\.system"/],
    ['a command on Linux', code('posix', 'system', text('id')), /it names "posix\.system"/],
    ['eval', code('builtins', 'eval', text('1')), /it names "builtins\.eval"/],
    ['eval of Python 2', code('__builtin__', 'eval', text('1')), /it names "__builtin__\.eval"/],
    ['a name that JavaScript knows', code('__proto__', 'constructor'), /it names "__proto__\.constructor"/],
    ['a name from the stack', pickle(short('os'), short('system'), op.stackGlobal, op.stop), /it names "os\.system"/],
    ['an instance', pickle(op.mark, text('id'), op.instance, 'os', 'system', op.stop), /it names "os\.system"/],
    ['an instance of a known class', pickle(op.mark, op.instance, 'collections', 'OrderedDict', op.stop), /instruction INST/],
    ['a new object', pickle(named('collections', 'OrderedDict'), op.noItems, op.newObject, op.stop), /instruction NEWOBJ/],
    ['a loader of torch', code('torch.serialization', 'load', text('x')), /it names "torch\.serialization\.load"/],
    ['a name within a name', code('torch._utils', '_rebuild_tensor_v2.__globals__'), /_rebuild_tensor_v2\.__globals__"/],
    ['attributes of a tensor', dictionaryOf(joined(tensor(), Uint8Array.of(op.dictionary, op.build))), /sets attributes of/],
    ['a call of a text', pickle(text('a'), op.noItems, op.reduce, op.stop), /it calls what is no function/],
    ['a call of a type', code('torch', 'FloatStorage', integer(4)), /it calls what is no function/],
    [
      'a dictionary from pairs',
      code('collections', 'OrderedDict', pickle(op.list).subarray(2)),
      /fills a dictionary in an unknown/,
    ],
    ['an instruction for text', pickle(0x53, "'a'", op.stop), /it uses the instruction 0x53/],
    ['an empty stack', pickle(op.setItem, op.stop), /takes more from its stack/],
    ['no mark', pickle(op.tuple, op.stop), /takes more from its stack/],
    ['no end', pickle(op.dictionary), /it is cut off/],
    ['a text beyond the end', pickle(0x58, Uint8Array.of(255, 255, 255, 255)), /it is cut off/],
    ['a memory that was never filled', pickle(op.get, 7, op.stop), /recalls a value that it never kept/],
    ['a list in itself', pickle(op.list, op.put, 0, op.get, 0, op.append, op.stop), /does not hold tensors by name/],
    ['deep nesting', pickle(new Uint8Array(4e5).fill(op.list), op.stop), /does not hold tensors by name/],
    ['endless instructions', pickle(new Uint8Array(2e6).fill(op.mark), op.stop), /it is impossibly long/],
    ['a huge number', pickle(0x8a, 200, new Uint8Array(200), op.stop), /holds a number of 200 bytes/],
    ['a later version', pickle(0x80, 9, op.stop), /version 9 of the pickle format/],
    ['a number for a name', dictionaryOf(tensor(), integer(3)), /its entry 3 is not a tensor/],
    ['an unknown storage', dictionaryOf(tensor({ key: '1' })), /its storage "1" is missing/],
    ['a storage elsewhere', dictionaryOf(tensor({ key: '../../etc/passwd' })), /passwd" is missing/],
    ['a storage of another length', dictionaryOf(tensor({ count: integer(5) })), /should have 20 bytes but has 16/],
    ['a storage of negative length', dictionaryOf(tensor({ count: integer(-4) })), /describes a storage in an unknown way/],
    ['a storage of two types', twoTypes(), /its storage "0" has two types/],
    ['a tensor that starts before', dictionaryOf(tensor({ start: integer(-1) })), /describes a tensor in an unknown way/],
    ['a tensor that ends behind', dictionaryOf(tensor({ start: integer(1) })), /the tensor a lies outside its storage/],
    ['a negative stride', dictionaryOf(tensor({ strides: [integer(-1)] })), /describes a tensor in an unknown way/],
    ['a stride of nothing', dictionaryOf(tensor({ strides: [integer(0)] })), /is not stored row by row/],
    ['a huge shape', dictionaryOf(tensor({ shape: [long(largest)] })), /describes a tensor in an unknown way/],
    ['a shape beyond counting', dictionaryOf(huge()), /lies outside its storage/],
    ['a shape without strides', dictionaryOf(tensor({ strides: [] })), /describes a tensor in an unknown way/],
    ['a hundred axes', dictionaryOf(tensor({ shape: ones(100), strides: ones(100) })), /describes a tensor in an unknown way/],
  ];
  test.each(pickles)('a pickle with %s', (_, bytes, reason) => expectRefused(torchFile(bytes), reason));

  const entry = { name: 'x/data/1', data: new Uint8Array(8) };
  const add = (part: ZipPart) => torchFile(dictionaryOf(tensor()), part);
  const archives: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(), /it is no ZIP archive/],
    ['text', new TextEncoder().encode('not an archive '.repeat(9)), /it is no ZIP archive/],
    ['half of a file', whole.subarray(0, whole.length / 2), /it is no ZIP archive, or its end is cut off/],
    ['bytes after the end', joined(whole, new Uint8Array(3)), /it is no ZIP archive, or its end is cut off/],
    ['a compressed entry', add({ ...entry, method: 8 }), /"x\/data\/1" is compressed/],
    ['a bomb', add({ ...entry, method: 8, says: { length: 2 ** 31, stored: 8 } }), /is compressed/],
    ['an entry larger than it is', add({ ...entry, says: { length: 2 ** 31, stored: 8 } }), /gives two lengths/],
    ['an entry beyond the end', add({ ...entry, says: { length: 2 ** 31 } }), /lies outside the file/],
    ['an entry in another', add({ ...entry, name: 'x/data/0', says: { offset: 0 } }), /twice/],
    ['two entries at one place', overlapping(), /overlaps another/],
    ['an entry where none is', add({ ...entry, says: { offset: 3 } }), /is not where the directory says/],
    ['an encrypted entry', add({ ...entry, flags: 1 }), /is encrypted/],
    ['two names for an entry', add({ ...entry, localName: 'x/data/2' }), /is described in two ways/],
    ['a path upwards', add({ ...entry, name: 'x/../../../etc/cron.d/a' }), /points outside the archive/],
    ['an absolute path', add({ ...entry, name: '/etc/passwd' }), /points outside the archive/],
    ['a path of Windows', add({ ...entry, name: 'C:\\a' }), /points outside the archive/],
    ['an entry twice', add({ name: 'x/data/0' }), /has the entry "x\/data\/0" twice/],
    ['a second pickle', add({ name: 'y/data.pkl' }), /it has 2 descriptions of tensors/],
    ['no pickle', zip([entry]), /it has 0 descriptions of tensors/],
    ['fewer entries than it claims', zip([entry], { count: 9 }), /claims 9 entries but lists 1/],
    ['a directory elsewhere', zip([entry], { offset: 2 ** 31 }), /its directory lies outside the file/],
    ['a damaged directory', zip([entry], { offset: 3, count: 1 }), /its directory (is damaged|lies outside the file)/],
    ['a length that is left out', add({ ...entry, says: { length: 0xffffffff } }), /lacks its length or place/],
    ['a 64-bit length of a lie', add(wide(2n ** 50n)), /lies outside the file/],
    ['a 64-bit length beyond counting', add(wide(largest)), /its directory claims 4611686018427387904 bytes/],
    ['the other byte order', add({ name: 'x/byteorder2' }).map((byte, i, all) => swapped(byte, i, all)), /byte order "zittle"/],
  ];
  test.each(archives)('an archive of %s', (_, bytes, reason) => expectRefused(bytes, reason));

  test('a 64-bit length that is true is read', () => {
    expect(parse(add(wide(8n))).size).toBe(1);
  });

  test('an archive with a comment is read', () => {
    expect(parse(zip([{ name: 'x/data.pkl', data: pickle(op.dictionary, op.stop) }], { comment: 'hello' })).size).toBe(0);
  });
});

function expectRefused(bytes: Uint8Array, reason: RegExp): void {
  const before = process.memoryUsage().arrayBuffers;
  const start = performance.now();
  const { message } = userErrorOf(() => parse(bytes));
  expect(message).toMatch(reason);
  expect(message).toContain('model.pth');
  expect(message.length).toBeLessThan(700);
  expect(performance.now() - start).toBeLessThan(2000);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
}

function ones(count: number): Uint8Array[] {
  return new Array<Uint8Array>(count).fill(integer(1));
}

function huge(): Uint8Array {
  const axes = new Array<Uint8Array>(8).fill(long(2n ** 52n));
  return tensor({ shape: axes, strides: axes });
}

function twoTypes(): Uint8Array {
  const other = tensor({ storage: 'HalfStorage', count: integer(8) });
  return pickle(op.dictionary, op.mark, text('a'), tensor(), text('b'), other, op.setItems, op.stop);
}

function overlapping(): Uint8Array {
  const inner = zip([{ name: 'x/data/1', data: new Uint8Array(4) }]);
  const first = { name: 'x/data/0', data: inner };
  const start = 30 + first.name.length;
  return zip([first, { name: 'x/data/1', data: new Uint8Array(4), says: { offset: start } }]);
}

/** An entry of 8 bytes whose length stands in the extra field for 64-bit numbers. */
function wide(length: bigint): ZipPart {
  const extra = joined(Uint8Array.of(1, 0, 16, 0), u64(length, length));
  return { name: 'x/data/1', data: new Uint8Array(8), says: { length: 0xffffffff, extra } };
}

/** Spells "little" with a z, where it stands as an entry's content. */
function swapped(byte: number, index: number, all: Uint8Array): number {
  const isContent = Buffer.from(all.buffer, all.byteOffset + index, Math.min(6, all.length - index)).toString() === 'little';
  return isContent ? 'z'.charCodeAt(0) : byte;
}
