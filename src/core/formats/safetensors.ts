/** @file safetensors (https://github.com/huggingface/safetensors): a JSON header, then the tensors' bytes. */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { elementCount } from '../shape.js';
import type { ByteSource } from './byteSource.js';
import type { HostTensor } from './hostTensor.js';
import { decodeJsonText, measureJson, parseForeignJson } from './json.js';
import { shortened, shownValue } from './shownValue.js';

const bytesPerElement = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

type SafetensorsType = keyof typeof bytesPerElement;

export interface SafetensorsEntry {
  readonly name: string;
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The reference library's own limit. */
const largestHeader = 100_000_000;
/** Enough for 100,000 tensors, but too few for the parsed JSON to exhaust memory. */
const maxParts = 2_000_000;

/**
 * Reads and fully validates the header: no tensor is accessed until the types, shapes and offsets of all of them have been found
 * consistent. Throws UserError('file-corrupt') naming the file and the defect.
 */
export function parseSafetensors(source: ByteSource): SafetensorsFile {
  const { header, nameCount, dataStart } = readHeader(source);
  const metadata = checkedMetadata(header['__metadata__'], source);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => checkedEntry(name, entry, dataStart, source));
  checkNamesOccurOnce(header, nameCount, source);
  checkCoverage(entries, dataStart, source);
  return { tensors: new Map(entries.map((entry) => [entry.name, entry])), metadata };
}

interface Header {
  readonly header: Record<string, unknown>;
  /** The number of names as written, before JSON.parse drops all but the last of duplicate ones. */
  readonly nameCount: number;
  readonly dataStart: number;
}

function readHeader(source: ByteSource): Header {
  if (source.size < 8) throw corrupt(source, t`it has ${source.size} bytes, fewer than a header's length takes`);
  const lengthBytes = new Uint8Array(8);
  source.read(0, lengthBytes);
  const length = new DataView(lengthBytes.buffer).getBigUint64(0, true);
  if (length > BigInt(largestHeader))
    throw corrupt(source, t`its header claims ${length} bytes; at most ${largestHeader} are allowed`);
  const dataStart = 8 + Number(length);
  if (dataStart > source.size) throw corrupt(source, t`its header claims ${length} bytes but the file has ${source.size}`);
  const bytes = new Uint8Array(Number(length));
  source.read(8, bytes);
  const refuse = (defect: string, cause?: unknown) => corrupt(source, t`its header ${defect}`, cause);
  const text = decodeJsonText(bytes, refuse);
  const measure = measureJson(text);
  const header = parseForeignJson(text, maxParts, refuse, measure);
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw corrupt(source, t`its header is no JSON object`);
  return { header: header as Record<string, unknown>, nameCount: measure.names, dataStart };
}

function checkedMetadata(metadata: unknown, source: ByteSource): Record<string, string> {
  if (metadata === undefined) return {};
  const isText =
    typeof metadata === 'object' && metadata !== null && Object.values(metadata).every((value) => typeof value === 'string');
  if (!isText) throw corrupt(source, t`its __metadata__ is no map of text to text`);
  return metadata as Record<string, string>;
}

function checkedEntry(name: string, entry: unknown, dataStart: number, source: ByteSource): SafetensorsEntry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  if (typeof dtype !== 'string' || !Object.hasOwn(bytesPerElement, dtype))
    throw corrupt(source, t`tensor ${name} has the unknown type ${shownValue(dtype)}`);
  if (!isListOfLengths(shape)) throw corrupt(source, t`tensor ${name} has no valid shape`);
  if (!isListOfLengths(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!)
    throw corrupt(source, t`tensor ${name} has no valid data_offsets`);
  if (Object.keys(entry as object).length !== 3)
    throw corrupt(source, t`tensor ${name} has more than dtype, shape and data_offsets`);
  const type = dtype as SafetensorsType;
  const expected = elementCount(shape) * bytesPerElement[type];
  const [begin, end] = offsets as [number, number];
  if (!Number.isSafeInteger(expected) || end - begin !== expected) {
    throw corrupt(
      source,
      t`tensor ${name} of type ${type} and shape [${shape.join(', ')}] needs ${expected} bytes but is given ${end - begin}`,
    );
  }
  if (dataStart + end > source.size) throw corrupt(source, t`tensor ${name} ends beyond the end of the file`);
  return { name, type, shape, offset: dataStart + begin, byteLength: expected };
}

function isListOfLengths(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((length) => Number.isSafeInteger(length) && length >= 0);
}

/** Given two tensors with the same name, or two shapes for one tensor, different readers could pick different ones. */
function checkNamesOccurOnce(header: Record<string, unknown>, nameCount: number, source: ByteSource): void {
  const kept = Object.values(header).reduce<number>((sum, entry) => sum + 1 + Object.keys(entry as object).length, 0);
  if (kept !== nameCount) throw corrupt(source, t`its header has a name twice`);
}

/** Tensors must follow one another without gaps or overlaps and end where the file ends. */
function checkCoverage(entries: readonly SafetensorsEntry[], dataStart: number, source: ByteSource): void {
  let end = dataStart;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)) {
    if (entry.offset !== end)
      throw corrupt(
        source,
        entry.offset < end ? t`tensor ${entry.name} overlaps another` : t`tensor ${entry.name} leaves a gap before it`,
      );
    end = entry.offset + entry.byteLength;
  }
  if (end !== source.size) throw corrupt(source, t`${source.size - end} bytes follow its last tensor`);
}

function corrupt(source: ByteSource, defect: string, cause?: unknown): UserError {
  const message = t`${source.name} is not a valid safetensors file: ${shortened(defect)}. Download or save it again.`;
  return new UserError('file-corrupt', message, { cause });
}

/** A tensor to be written, in the order of the data. */
export interface WrittenTensor {
  readonly name: string;
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
}

/** Everything before the data, whose first byte is at a multiple of 8. The tensors' bytes follow without gaps. */
export function safetensorsHeader(tensors: readonly WrittenTensor[], metadata: Record<string, string> = {}): Uint8Array {
  let offset = 0;
  const entries = tensors.map(({ name, type, shape }) => {
    const offsets = [offset, (offset += elementCount(shape) * bytesPerElement[type])];
    return [name, { dtype: type, shape, data_offsets: offsets }];
  });
  const json = JSON.stringify({
    ...(Object.keys(metadata).length > 0 && { __metadata__: metadata }),
    ...Object.fromEntries(entries),
  });
  const header = new TextEncoder().encode(json);
  const padded = new Uint8Array(8 + Math.ceil(header.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(header, 8);
  return padded;
}

/**
 * The pieces of a file of fp32 tensors, to be written one after another. Tensors of the same type are ordered by name, as in the
 * reference library, so that equal content gives equal bytes.
 */
export function safetensorsBytes(tensors: ReadonlyMap<string, HostTensor>, metadata: Record<string, string> = {}): Uint8Array[] {
  const names = [...tensors.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const written = names.map((name) => ({ name, type: 'F32' as const, shape: tensors.get(name)!.shape }));
  const pieces = names.map((name) => tensors.get(name)!.data);
  return [
    safetensorsHeader(written, metadata),
    ...pieces.map((data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
}
