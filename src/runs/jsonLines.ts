/** @file Files with one JSON value per line, appended by one process and followed by others. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, type BigIntStats } from 'node:fs';
import { appendToFile } from '../files/atomicWrite.js';
import { reading } from '../files/reading.js';

export interface LineFormat<T> {
  /** A longer line is not ours and is not parsed, since a file may come from anywhere. */
  readonly maxCharacters: number;
  /** Returns undefined for a value of another kind, which something else has written. */
  parse(value: unknown): T | undefined;
}

export function appendLine(path: string, value: unknown): void {
  appendToFile(path, lineOf(value));
}

export function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Reads all lines at once; returns an empty list if there is no file. */
export function readLines<T>(path: string, format: LineFormat<T>): T[] {
  if (!existsSync(path)) return [];
  const text = reading(path, () => readFileSync(path, 'utf8'));
  return parseLines(text, format);
}

/** Skips blank, half-written and foreign lines. */
export function parseLines<T>(text: string, { maxCharacters, parse }: LineFormat<T>): T[] {
  return text.split('\n').flatMap((line) => {
    if (line.length > maxCharacters) return [];
    try {
      return parse(JSON.parse(line)) ?? [];
    } catch {
      return [];
    }
  });
}

export interface LinesNews<T> {
  /** True if the file was replaced (by a resumed run): forget what was read before. */
  readonly replaced: boolean;
  readonly lines: readonly T[];
  /** True if there is more to read right away. */
  readonly more: boolean;
}

/** Reads a file piece by piece from where the last call ended; a half-written last line waits until it is complete. */
export class LinesTail<T> {
  private offset = 0;
  private inode: bigint | undefined;

  constructor(
    private readonly path: string,
    private readonly format: LineFormat<T>,
    private readonly chunkBytes = 1 << 20,
  ) {}

  read(): LinesNews<T> {
    if (!existsSync(this.path)) return { replaced: this.forget(), lines: [], more: false };
    const file = reading(this.path, () => openSync(this.path, 'r'));
    try {
      const stats = fstatSync(file, { bigint: true });
      const replaced = this.noticeReplacement(stats);
      const chunk = Buffer.alloc(Math.min(this.chunkBytes, Number(stats.size) - this.offset));
      const length = readSync(file, chunk, 0, chunk.length, this.offset);
      // A line longer than a chunk is not ours: skip it rather than wait for its end forever.
      const end = chunk.lastIndexOf(0x0a, length - 1) + 1 || (length === this.chunkBytes ? length : 0);
      this.offset += end;
      return { replaced, lines: parseLines(chunk.toString('utf8', 0, end), this.format), more: length === this.chunkBytes };
    } finally {
      closeSync(file);
    }
  }

  private noticeReplacement(stats: BigIntStats): boolean {
    const replaced = (this.inode !== undefined && this.inode !== stats.ino) || stats.size < this.offset;
    if (replaced) this.forget();
    this.inode = stats.ino;
    return replaced;
  }

  private forget(): boolean {
    const hadRead = this.offset > 0;
    this.offset = 0;
    this.inode = undefined;
    return hadRead;
  }
}
