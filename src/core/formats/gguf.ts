/** @file GGUF, versions 2 and 3, little-endian (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { elementCount } from '../shape.js';
import type { ByteSource } from './byteSource.js';
import { shortened } from './shownValue.js';
import { storedBlocks, type StoredType } from './storedType.js';

export type GgufValue = string | number | bigint | boolean | readonly GgufValue[];

export interface GgufTensor {
  readonly name: string;
  readonly type: StoredType;
  /** Row-major, outermost first: the reverse of the file's own order. */
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface GgufFile {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Where each metadata entry's type and value are in the file, so that they can be copied as they are. */
  readonly ranges: ReadonlyMap<string, ByteRange>;
}

interface ByteRange {
  readonly offset: number;
  readonly byteLength: number;
}

/** The ggml_type numbers used in files, also by the writer. Other types (IQ*, TQ*, …) are rejected with an error that names the tensor. */
export const storedTypes: Readonly<Record<number, StoredType>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  30: 'BF16',
};

// No real file comes near these limits; without them, a malicious one could take up memory and time.
const maxMetadata = 100_000;
const maxTensors = 100_000;
const longestString = 64 * 2 ** 20;
const largestHeader = 256 * 2 ** 20;
const maxArrayElements = 8_000_000;
const maxArrayDepth = 4;

/** Reads and validates the metadata and tensor table. Throws UserError('file-corrupt' | 'file-unsupported') naming the file. */
export function parseGguf(source: ByteSource): GgufFile {
  const reader = new GgufReader(source);
  if (reader.text(4) !== 'GGUF') throw corrupt(source, t`it does not start with GGUF`);
  const version = reader.u32();
  if (version !== 2 && version !== 3) throw unsupported(source, t`GGUF version ${version}; versions 2 and 3 can be read`);
  const tensorCount = reader.count(maxTensors, t`tensors`);
  const metadataCount = reader.count(maxMetadata, t`metadata entries`);
  const metadata = new Map<string, GgufValue>();
  const ranges = new Map<string, ByteRange>();
  for (let i = 0; i < metadataCount; i++) {
    const key = reader.string();
    if (metadata.has(key)) throw corrupt(source, t`its metadata has ${key} twice`);
    const offset = reader.position;
    metadata.set(key, reader.value(reader.u32(), 0));
    ranges.set(key, { offset, byteLength: reader.position - offset });
  }
  const declared = Array.from({ length: tensorCount }, () => readTensorInfo(reader, source));
  const alignment = Number(metadata.get('general.alignment') ?? 32);
  if (!Number.isInteger(Math.log2(alignment)) || alignment < 1 || alignment > 2 ** 20)
    throw corrupt(source, t`its alignment is ${alignment}`);
  return { metadata, tensors: placeTensors(declared, reader.position, alignment, source), ranges };
}

interface DeclaredTensor extends Omit<GgufTensor, 'offset'> {
  readonly offsetInData: number;
}

function readTensorInfo(reader: GgufReader, source: ByteSource): DeclaredTensor {
  const name = reader.string();
  const rank = reader.u32();
  if (rank < 1 || rank > 4) throw corrupt(source, t`tensor ${name} has ${rank} dimensions`);
  const shape = Array.from({ length: rank }, () => reader.length(t`a dimension of ${name}`)).reverse();
  const typeNumber = reader.u32();
  const type = storedTypes[typeNumber];
  if (!type)
    throw unsupported(
      source,
      t`tensor ${name} of ggml type ${typeNumber}; F32, F16, BF16, Q4_0 to Q8_0 and Q2_K to Q6_K can be read`,
    );
  const offsetInData = reader.length(t`the offset of ${name}`);
  return { name, type, shape, offsetInData, byteLength: storedByteLength(name, type, shape, source) };
}

function storedByteLength(name: string, type: StoredType, shape: readonly number[], source: ByteSource): number {
  const { elements, bytes } = storedBlocks[type];
  if (shape.at(-1)! % elements !== 0) throw corrupt(source, t`rows of tensor ${name} do not divide into blocks of ${elements}`);
  const length = (elementCount(shape) / elements) * bytes;
  if (!Number.isSafeInteger(length)) throw corrupt(source, t`tensor ${name} is impossibly large`);
  return length;
}

/** The data section and each tensor in it start at a multiple of the alignment. */
function placeTensors(
  declared: readonly DeclaredTensor[],
  headerEnd: number,
  alignment: number,
  source: ByteSource,
): Map<string, GgufTensor> {
  const dataStart = Math.ceil(headerEnd / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  let end = 0;
  for (const { offsetInData, ...tensor } of [...declared].sort((a, b) => a.offsetInData - b.offsetInData)) {
    if (tensors.has(tensor.name)) throw corrupt(source, t`it has the tensor ${tensor.name} twice`);
    if (offsetInData % alignment !== 0) throw corrupt(source, t`tensor ${tensor.name} is not aligned to ${alignment} bytes`);
    if (offsetInData < end) throw corrupt(source, t`tensor ${tensor.name} overlaps another`);
    end = offsetInData + tensor.byteLength;
    if (dataStart + end > source.size)
      throw corrupt(source, t`tensor ${tensor.name} ends beyond the end of the file: it is cut off`);
    tensors.set(tensor.name, { ...tensor, offset: dataStart + offsetInData });
  }
  return tensors;
}

type BigReader = 'getBigUint64' | 'getBigInt64';
type NumberReader = Exclude<Extract<keyof DataView, `get${string}`>, BigReader>;

/** Reads forward through the file with a window, so that even a file of gigabytes costs only a few pages. */
class GgufReader {
  position = 0;
  private window = new DataView(new ArrayBuffer(0));
  private windowStart = 0;
  private arrayElements = 0;
  // A byte order mark is part of the token that begins with it.
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(private readonly source: ByteSource) {}

  u32(): number {
    return this.number(4, 'getUint32');
  }

  /** A 64-bit integer that is small enough to compute with. */
  length(what: string): number {
    const value = this.number(8, 'getBigUint64');
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw corrupt(this.source, t`${what} is ${value}`);
    return Number(value);
  }

  /** The number of items that follow, each of which takes at least one byte. */
  count(max: number, what: string): number {
    const count = this.length(t`its number of ${what}`);
    if (count > Math.min(max, this.source.size)) throw corrupt(this.source, t`it claims ${count} ${what}`);
    return count;
  }

  string(): string {
    const length = this.length(t`the length of a string`);
    if (length > longestString) throw corrupt(this.source, t`it claims a string of ${length} bytes`);
    return this.text(length);
  }

  text(length: number): string {
    const at = this.advance(length);
    return this.decoder.decode(new Uint8Array(this.window.buffer, at, length));
  }

  value(type: number, depth: number): GgufValue {
    switch (type) {
      case 0:
        return this.number(1, 'getUint8');
      case 1:
        return this.number(1, 'getInt8');
      case 2:
        return this.number(2, 'getUint16');
      case 3:
        return this.number(2, 'getInt16');
      case 4:
        return this.number(4, 'getUint32');
      case 5:
        return this.number(4, 'getInt32');
      case 6:
        return this.number(4, 'getFloat32');
      case 7:
        return this.number(1, 'getUint8') !== 0;
      case 8:
        return this.string();
      case 9:
        return this.array(depth + 1);
      case 10:
        return this.number(8, 'getBigUint64');
      case 11:
        return this.number(8, 'getBigInt64');
      case 12:
        return this.number(8, 'getFloat64');
      default:
        throw corrupt(this.source, t`its metadata has the unknown type ${type}`);
    }
  }

  private array(depth: number): GgufValue[] {
    if (depth > maxArrayDepth) throw corrupt(this.source, t`its metadata nests arrays too deeply`);
    const type = this.u32();
    const count = this.length(t`the length of an array`);
    this.arrayElements += count;
    if (this.arrayElements > Math.min(maxArrayElements, this.source.size))
      throw corrupt(this.source, t`it claims an array of ${count} elements`);
    const values: GgufValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value(type, depth));
    return values;
  }

  private number(length: number, read: BigReader): bigint;
  private number(length: number, read: NumberReader): number;
  private number(length: number, read: BigReader | NumberReader): number | bigint {
    const at = this.advance(length); // must come before reading the window, which it may move
    return this.window[read](at, true);
  }

  /** Consumes the next bytes and returns their position in the window. */
  private advance(length: number): number {
    const { position, source } = this;
    if (length > source.size - position) throw corrupt(source, t`it ends in the middle of its header`);
    if (position + length > largestHeader) throw corrupt(source, t`its header is impossibly large`);
    if (position + length > this.windowStart + this.window.byteLength) {
      const bytes = new Uint8Array(Math.min(Math.max(length, 2 ** 16), source.size - position));
      source.read(position, bytes);
      this.window = new DataView(bytes.buffer);
      this.windowStart = position;
    }
    this.position += length;
    return position - this.windowStart;
  }
}

function corrupt(source: ByteSource, defect: string): UserError {
  return new UserError(
    'file-corrupt',
    t`${source.name} is not a valid GGUF file: ${shortened(defect)}. Download or convert it again.`,
  );
}

function unsupported(source: ByteSource, what: string): UserError {
  return new UserError('file-unsupported', t`${source.name} has ${shortened(what)}.`);
}
