/**
 * @file The directory of a ZIP archive whose entries are stored uncompressed, as PyTorch writes them
 * (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT). Nothing is unpacked: an entry is a place in the file.
 */
import { t } from '../../l10n/text.js';
import type { UserError } from '../errors.js';
import type { ByteSource } from './byteSource.js';
import { shownValue } from './shownValue.js';

export interface ZipEntry {
  readonly name: string;
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

type Refuse = (defect: string) => UserError;

/** Far above any checkpoint: the largest have some ten thousand tensors. */
const maxEntries = 200_000;
const largestDirectory = 64 * 2 ** 20;

const signatures = { local: 0x04034b50, entry: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 } as const;
const lengths = { local: 30, entry: 46, end: 22, end64: 56, locator64: 20 } as const;
const largestComment = 0xffff;
const stored = 0;
const encrypted = 1;
/** The extra field that holds numbers which do not fit into 32 bits; those are 0xffffffff in their usual place. */
const zip64Field = 0x0001;
const tooLarge = 0xffffffff;

/** Reads and checks the whole directory. `refuse` creates the error from a defect. */
export function readZip(source: ByteSource, refuse: Refuse): Map<string, ZipEntry> {
  const directory = findDirectory(source, refuse);
  const listed = listedEntries(read(source, directory.offset, directory.byteLength), directory.count, refuse);
  const entries = new Map<string, ZipEntry>();
  for (const { headerOffset, ...entry } of listed) {
    if (entries.has(entry.name)) throw refuse(t`it has the entry ${shownValue(entry.name)} twice`);
    entries.set(entry.name, { ...entry, offset: dataOffset(source, headerOffset, entry.name, directory.offset, refuse) });
  }
  checkPlaces([...entries.values()], listed, directory.offset, refuse);
  return entries;
}

interface Directory {
  readonly offset: number;
  readonly byteLength: number;
  readonly count: number;
}

/** The end record is the last thing in the file, but for a comment whose length it states. */
function findDirectory(source: ByteSource, refuse: Refuse): Directory {
  const tailStart = Math.max(0, source.size - lengths.end - largestComment);
  const tail = read(source, tailStart, source.size - tailStart);
  for (let at = tail.byteLength - lengths.end; at >= 0; at--) {
    if (tail.getUint32(at, true) !== signatures.end) continue;
    if (at + lengths.end + tail.getUint16(at + 20, true) !== tail.byteLength) continue;
    return checkedDirectory(source, tailStart + at, directoryAt(source, tail, at, tailStart, refuse), refuse);
  }
  throw refuse(t`it is no ZIP archive, or its end is cut off`);
}

function directoryAt(source: ByteSource, tail: DataView, at: number, tailStart: number, refuse: Refuse): Directory {
  const end = tailStart + at;
  const locator = end < lengths.locator64 ? null : read(source, end - lengths.locator64, lengths.locator64);
  if (locator?.getUint32(0, true) !== signatures.locator64) {
    const [count, byteLength, offset] = [
      tail.getUint16(at + 10, true),
      tail.getUint32(at + 12, true),
      tail.getUint32(at + 16, true),
    ];
    return { offset, byteLength, count };
  }
  const offset64 = wholeNumber(locator, 8, refuse);
  if (offset64 + lengths.end64 > end) throw refuse(t`its directory lies outside the file`);
  const end64 = read(source, offset64, lengths.end64);
  if (end64.getUint32(0, true) !== signatures.end64) throw refuse(t`its directory is damaged`);
  const [count, byteLength, offset] = [32, 40, 48].map((place) => wholeNumber(end64, place, refuse)) as [number, number, number];
  return { offset, byteLength, count };
}

function checkedDirectory({ size }: ByteSource, end: number, directory: Directory, refuse: Refuse): Directory {
  const { offset, byteLength, count } = directory;
  if (offset + byteLength > end || end > size) throw refuse(t`its directory lies outside the file`);
  if (byteLength > largestDirectory || count > maxEntries) throw refuse(t`it claims ${count} entries`);
  return directory;
}

interface ListedEntry {
  readonly name: string;
  readonly byteLength: number;
  readonly headerOffset: number;
}

function listedEntries(directory: DataView, count: number, refuse: Refuse): ListedEntry[] {
  const entries: ListedEntry[] = [];
  let at = 0;
  while (at < directory.byteLength) {
    const isWhole = at + lengths.entry <= directory.byteLength && directory.getUint32(at, true) === signatures.entry;
    const [nameLength, extraLength, commentLength] = isWhole
      ? [28, 30, 32].map((place) => directory.getUint16(at + place, true))
      : [];
    const end = at + lengths.entry + nameLength! + extraLength! + commentLength!;
    if (!isWhole || end > directory.byteLength) throw refuse(t`its directory is damaged`);
    entries.push(listedEntry(directory, at, nameLength!, extraLength!, refuse));
    at = end;
  }
  if (entries.length !== count) throw refuse(t`it claims ${count} entries but lists ${entries.length}`);
  return entries;
}

function listedEntry(directory: DataView, at: number, nameLength: number, extraLength: number, refuse: Refuse): ListedEntry {
  const name = text(directory, at + lengths.entry, nameLength);
  const shown = shownValue(name);
  if (!isPlainPath(name)) throw refuse(t`its entry ${shown} points outside the archive`);
  if (directory.getUint16(at + 8, true) & encrypted) throw refuse(t`its entry ${shown} is encrypted`);
  if (directory.getUint16(at + 10, true) !== stored) throw refuse(t`its entry ${shown} is compressed, which PyTorch never does`);
  const wide = zip64Numbers(directory, at + lengths.entry + nameLength, extraLength, refuse);
  const number = (place: number): number => {
    const value = directory.getUint32(at + place, true);
    return value === tooLarge ? wide(shown) : value;
  };
  const [byteLength, storedLength, headerOffset] = [number(24), number(20), number(42)]; // in the order of the extra field
  if (byteLength !== storedLength) throw refuse(t`its entry ${shown} gives two lengths`);
  return { name, byteLength, headerOffset };
}

/** Gives out the numbers of the 64-bit extra field one after another. */
function zip64Numbers(directory: DataView, start: number, length: number, refuse: Refuse): (entry: string) => number {
  let [at, end] = [start, start];
  for (let field = start; field + 4 <= start + length; field += 4 + directory.getUint16(field + 2, true)) {
    if (directory.getUint16(field, true) !== zip64Field) continue;
    at = field + 4;
    end = Math.min(at + directory.getUint16(field + 2, true), start + length);
    break;
  }
  return (entry) => {
    at += 8;
    if (at > end) throw refuse(t`its entry ${entry} lacks its length or place`);
    return wholeNumber(directory, at - 8, refuse);
  };
}

/** The data follows a second header, which must agree about the name and the method. */
function dataOffset(source: ByteSource, headerOffset: number, name: string, limit: number, refuse: Refuse): number {
  const shown = shownValue(name);
  if (headerOffset + lengths.local > limit) throw refuse(t`its entry ${shown} lies outside the file`);
  const header = read(source, headerOffset, lengths.local);
  if (header.getUint32(0, true) !== signatures.local) throw refuse(t`its entry ${shown} is not where the directory says`);
  const nameLength = header.getUint16(26, true);
  const offset = headerOffset + lengths.local + nameLength + header.getUint16(28, true);
  if (offset > limit) throw refuse(t`its entry ${shown} lies outside the file`);
  const ownName = text(read(source, headerOffset + lengths.local, nameLength), 0, nameLength);
  if (ownName !== name || header.getUint16(8, true) !== stored) throw refuse(t`its entry ${shown} is described in two ways`);
  return offset;
}

/** Entries that share bytes are how a small archive pretends to be a huge one. */
function checkPlaces(entries: readonly ZipEntry[], listed: readonly ListedEntry[], limit: number, refuse: Refuse): void {
  const places = entries.map((entry, index) => ({ ...entry, headerOffset: listed[index]!.headerOffset }));
  let end = 0;
  for (const { name, offset, byteLength, headerOffset } of places.sort((a, b) => a.headerOffset - b.headerOffset)) {
    if (headerOffset < end) throw refuse(t`its entry ${shownValue(name)} overlaps another`);
    end = offset + byteLength;
    if (end > limit) throw refuse(t`its entry ${shownValue(name)} lies outside the file`);
  }
}

function isPlainPath(name: string): boolean {
  return name !== '' && !/^[/]|^[a-z]:|\\|\0/i.test(name) && !name.split('/').includes('..');
}

function read(source: ByteSource, offset: number, byteLength: number): DataView {
  const bytes = new Uint8Array(byteLength);
  source.read(offset, bytes);
  return new DataView(bytes.buffer);
}

function text(view: DataView, offset: number, byteLength: number): string {
  return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + offset, byteLength));
}

function wholeNumber(view: DataView, at: number, refuse: Refuse): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse(t`its directory claims ${value} bytes`);
  return Number(value);
}
