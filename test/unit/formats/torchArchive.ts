/** @file Writes ZIP archives and pickles byte by byte, so that tests can tamper with each of them. */

export interface ZipPart {
  readonly name: string;
  readonly data?: Uint8Array;
  /** In the second header and in the directory. */
  readonly method?: number;
  readonly flags?: number;
  readonly localName?: string;
  /** What the directory says instead of the truth. */
  readonly says?: { readonly length?: number; readonly stored?: number; readonly offset?: number; readonly extra?: Uint8Array };
}

const u16 = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);
const u32 = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
export const u64 = (...values: bigint[]) => new Uint8Array(BigUint64Array.from(values).buffer);
export const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const utf8 = (text: string) => new TextEncoder().encode(text);

export function zip(parts: readonly ZipPart[], end: { count?: number; offset?: number; comment?: string } = {}): Uint8Array {
  const chunks: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, data = new Uint8Array(), method = 0, flags = 0, localName = name, says = {} } of parts) {
    const local = joined(u32(0x04034b50), u16(20, flags, method, 0, 0), u32(0, data.length, data.length));
    const header = joined(local, u16(utf8(localName).length, 0), utf8(localName));
    const { length = data.length, stored = length, extra = new Uint8Array() } = says;
    directory.push(
      joined(u32(0x02014b50), u16(20, 20, flags, method, 0, 0), u32(0, stored, length), u16(utf8(name).length, extra.length)),
      joined(u16(0, 0, 0), u32(0, says.offset ?? offset), utf8(name), extra),
    );
    chunks.push(header, data);
    offset += header.length + data.length;
  }
  const list = joined(...directory);
  const { count = parts.length, comment = '' } = end;
  const record = joined(u32(0x06054b50), u16(0, 0, count, count), u32(list.length, end.offset ?? offset), u16(comment.length));
  return joined(...chunks, list, record, utf8(comment));
}

/** A file like those of torch.save, with this pickle and one storage of 16 bytes. */
export function torchFile(pickle: Uint8Array, ...more: ZipPart[]): Uint8Array {
  return zip([
    { name: 'x/data.pkl', data: pickle },
    { name: 'x/byteorder', data: utf8('little') },
    { name: 'x/data/0', data: new Uint8Array(16).fill(1) },
    ...more,
  ]);
}

/** Instructions: bytes as they are, and texts as lines. */
export function pickle(...parts: (number | string | Uint8Array)[]): Uint8Array {
  const bytes = parts.map((part) =>
    typeof part === 'number' ? Uint8Array.of(part) : typeof part === 'string' ? utf8(`${part}\n`) : part,
  );
  return joined(Uint8Array.of(0x80, 2), ...bytes);
}

export const op = {
  mark: 0x28,
  stop: 0x2e,
  none: 0x4e,
  false: 0x89,
  dictionary: 0x7d,
  list: 0x5d,
  tuple: 0x74,
  noItems: 0x29,
  one: 0x85,
  global: 0x63,
  reduce: 0x52,
  build: 0x62,
  persistent: 0x51,
  setItem: 0x73,
  setItems: 0x75,
  append: 0x61,
  newObject: 0x81,
  instance: 0x69,
  stackGlobal: 0x93,
  put: 0x71,
  get: 0x68,
} as const;

export const text = (value: string) => joined(Uint8Array.of(0x58), u32(utf8(value).length), utf8(value));
export const integer = (value: number) => joined(Uint8Array.of(0x4a), new Uint8Array(Int32Array.of(value).buffer));
export const long = (value: bigint) => joined(Uint8Array.of(0x8a, 8), new Uint8Array(BigInt64Array.of(value).buffer));
export const named = (module: string, name: string) => joined(Uint8Array.of(op.global), utf8(`${module}\n${name}\n`));
export const tuple = (...items: Uint8Array[]) => joined(Uint8Array.of(op.mark), ...items, Uint8Array.of(op.tuple));

interface TensorParts {
  readonly storage?: string;
  readonly key?: string;
  readonly count?: Uint8Array;
  readonly start?: Uint8Array;
  readonly shape?: readonly Uint8Array[];
  readonly strides?: readonly Uint8Array[];
}

/** The call that makes a tensor of four numbers. */
export function tensor(parts: TensorParts = {}): Uint8Array {
  const { storage = 'FloatStorage', key = '0', count = integer(4), start = integer(0) } = parts;
  const { shape = [integer(4)], strides = [integer(1)] } = parts;
  const id = tuple(text('storage'), named('torch', storage), text(key), text('cpu'), count);
  const items = [joined(id, Uint8Array.of(op.persistent)), start, tuple(...shape), tuple(...strides)];
  const hooks = joined(named('collections', 'OrderedDict'), Uint8Array.of(op.noItems, op.reduce));
  const call = tuple(...items, Uint8Array.of(op.false), hooks);
  return joined(named('torch._utils', '_rebuild_tensor_v2'), call, Uint8Array.of(op.reduce));
}

/** A dictionary of one entry. */
export const dictionaryOf = (value: Uint8Array, key = text('a')) => pickle(op.dictionary, key, value, op.setItem, op.stop);
