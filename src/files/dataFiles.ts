import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync, type Dirent } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import ignore, { type Ignore } from 'ignore';
import { isBinaryFileSync } from 'isbinaryfile';
import { whyNotEntered, whyPrivate, type LeftOut } from '../core/data/fileRules.js';
import { largestRecord, largestText, tooLong, Unusable } from '../core/data/source.js';
import type { DataFile, DataFiles, DataLine, DataPlace, Skipped } from '../core/data/source.js';
import { UserError } from '../core/errors.js';
import { t } from '../l10n/text.js';
import { openFile } from './fileSource.js';
import { hubDataReference, type HubDataReference } from './hubData/reference.js';
import { storedData } from './hubData/store.js';
import { isPermissionDenied, reading } from './reading.js';

/** Training data on disk. */
export const diskFiles: DataFiles = {
  open(path) {
    const reference = hubDataReference(path);
    if (reference) return hubPlace(reference);
    const status = reading(path, () => statSync(path));
    if (status.isDirectory()) return readFolder(path);
    if (status.isFile()) {
      // An unreadable file inside a folder is skipped, but one that was named explicitly is an error.
      reading(path, () => closeSync(openSync(path, 'r')));
      return { kind: 'file', file: diskFile(path, status.size) };
    }
    throw new UserError('file-unreadable', t`${path} is neither a file nor a folder.`);
  },
};

function hubPlace(reference: HubDataReference): DataPlace {
  const { text } = reference;
  const stored = storedData(reference);
  if (!stored)
    throw new UserError(
      'file-not-found',
      t`${text} does not exist. If it is a data set of the hub, the pre-flight downloads it, and so does: lora-workbench download --dataset ${text}`,
    );
  const files = stored.map(({ path, sizeBytes }) => diskFile(path, sizeBytes));
  return { kind: 'folder', path: text, files, leftOut: [], skipped: [] };
}

function diskFile(path: string, size: number): DataFile {
  return {
    path,
    size,
    text() {
      if (size > largestText) throw new Unusable(t`larger than ${largestText / 2 ** 20} MB; as JSONL it can be of any size`);
      const bytes = usable(() => readFileSync(path));
      if (isBinaryFileSync(bytes, bytes.length)) throw new Unusable(t`binary`);
      return decode(bytes) ?? refuse(notUtf8());
    },
    lines: () => linesOf(path),
    bytes: () => usable(() => openFile(path)),
    unpackBrotli: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  };
}

const notUtf8 = () => t`not UTF-8 text; save it as UTF-8`;

function refuse(reason: string): never {
  throw new Unusable(reason);
}

function usable<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new Unusable(whyUnread(error));
  }
}

function whyUnread(error: unknown): string {
  return isPermissionDenied(error) ? t`cannot be read: permission denied` : t`cannot be read: ${(error as Error).message}`;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Keeps at most one line in memory, and no more than largestRecord bytes of it. */
function* linesOf(path: string): Generator<DataLine> {
  const descriptor = usable(() => openSync(path, 'r'));
  try {
    const chunk = Buffer.allocUnsafe(2 ** 20);
    let pending: Buffer[] = [];
    let pendingLength = 0;
    let number = 0;
    const finishLine = (): DataLine => {
      const line = pendingLength > largestRecord ? null : Buffer.concat(pending);
      [pending, pendingLength] = [[], 0];
      number++;
      if (line === null) return tooLong(number);
      const text = decode(line);
      return text === null ? { number, problem: notUtf8() } : { number, text };
    };
    for (;;) {
      const length = usable(() => readSync(descriptor, chunk));
      if (length === 0) break;
      for (let start = 0; start < length;) {
        const newline = chunk.subarray(0, length).indexOf(0x0a, start);
        const end = newline < 0 ? length : newline;
        pendingLength += end - start;
        if (pendingLength <= largestRecord) pending.push(Buffer.from(chunk.subarray(start, end)));
        else pending = [];
        if (newline >= 0) yield finishLine();
        start = end + 1;
      }
    }
    if (pendingLength > 0) yield finishLine();
  } finally {
    closeSync(descriptor);
  }
}

const maxFiles = 100_000;

/** The rules of one .gitignore, and the folder they apply to. */
interface IgnoreRules {
  readonly folder: string;
  readonly rules: Ignore;
}

/** Lists all files below a folder, by name, except private files and those that git ignores. Does not follow symbolic links. */
function readFolder(folder: string): DataPlace {
  const files: DataFile[] = [];
  const leftOut: LeftOut[] = [];
  const skipped: Skipped[] = [];
  const enter = (path: string, outerRules: readonly IgnoreRules[]) => {
    const rules = [...rulesOf(path), ...outerRules];
    for (const entry of entriesOf(path, skipped)) {
      const child = join(path, entry.name);
      if (entry.name === '.git' || isIgnored(child, entry, rules)) continue;
      const kind = entry.isDirectory() ? whyNotEntered(entry.name) : whyPrivate(entry.name);
      if (kind) leftOut.push({ path: child, kind });
      else if (entry.isSymbolicLink()) skipped.push({ origin: child, reason: t`a symbolic link` });
      else if (entry.isDirectory()) enter(child, rules);
      else if (entry.isFile()) {
        if (files.length === maxFiles) throw tooManyFiles(folder);
        files.push(diskFile(child, statSync(child, { throwIfNoEntry: false })?.size ?? 0));
      }
    }
  };
  enter(folder, rulesAbove(folder));
  return { kind: 'folder', path: folder, files, leftOut, skipped };
}

function entriesOf(folder: string, skipped: Skipped[]): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    skipped.push({ origin: folder, reason: whyUnread(error) });
    return [];
  }
}

/** The nearest folder with a rule about the path decides. */
function isIgnored(path: string, entry: Dirent, rules: readonly IgnoreRules[]): boolean {
  for (const { folder, rules: own } of rules) {
    const inside = relative(folder, path).split(sep).join('/') + (entry.isDirectory() ? '/' : '');
    const { ignored, unignored } = own.test(inside);
    if (ignored || unignored) return ignored;
  }
  return false;
}

function rulesOf(folder: string): IgnoreRules[] {
  const path = join(folder, '.gitignore');
  try {
    return existsSync(path) ? [{ folder, rules: ignore().add(readFileSync(path, 'utf8')) }] : [];
  } catch {
    return [];
  }
}

/**
 * Inside a repository, the rules of the .gitignore files between its root and the folder, nearest first. None if they exclude the
 * folder itself: whoever chooses it means it.
 */
function rulesAbove(folder: string): IgnoreRules[] {
  const found: IgnoreRules[] = [];
  for (let path = resolve(folder); !existsSync(join(path, '.git'));) {
    const parent = dirname(path);
    if (parent === path) return [];
    path = parent;
    found.push(...rulesOf(path));
  }
  const isExcluded = found.some(({ folder: root, rules }) => rules.ignores(`${relative(root, folder).split(sep).join('/')}/`));
  return isExcluded ? [] : found;
}

function tooManyFiles(folder: string): UserError {
  return new UserError('data-invalid', t`${folder} contains more than ${maxFiles} files. Choose a subfolder.`);
}
