import { statSync } from 'node:fs';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { ChunkIndex } from '../complete/retrieval/chunkIndex.js';
import { chooseFiles } from '../core/data/detectFormat.js';
import { pathInside } from '../core/data/readSequences.js';
import type { DataFile } from '../core/data/source.js';
import { diskFiles } from '../files/dataFiles.js';
import { checkSource } from '../files/source/checkSource.js';

/** In bytes of source code; the index takes about eight times as much memory. */
const mostBytes = 8 * 2 ** 20;

interface FoundFile {
  readonly file: DataFile;
  /** In its folder, with forward slashes. */
  readonly name: string;
  readonly modifiedMs: number;
}

/**
 * The source code of the folders, by the rules by which training chooses it: nothing that git ignores, no credentials, nothing that
 * programs have written. If it is too much, the files that were changed last are taken.
 */
export class WorkspaceIndex {
  readonly index = new ChunkIndex();
  /** When each file that has been looked at was changed. */
  private readonly known = new Map<string, number>();

  /** Reads only what has changed since the last time. Requests are answered between two files. */
  async update(folders: readonly string[]): Promise<void> {
    const files = new Map(newest(folders.flatMap(sourceFiles)).map((found) => [found.file.path, found]));
    for (const [path, modifiedMs] of this.known) if (files.get(path)?.modifiedMs !== modifiedMs) this.forget(path);
    for (const [path, { file, name, modifiedMs }] of files) {
      if (this.known.has(path)) continue;
      const checked = await checkSource(file, true);
      if (checked !== 'unread' && 'text' in checked) this.index.add({ path, file: name, text: checked.text });
      this.known.set(path, modifiedMs);
      await eventLoopTurn();
    }
  }

  private forget(path: string): void {
    this.index.remove(path);
    this.known.delete(path);
  }
}

function sourceFiles(folder: string): readonly FoundFile[] {
  return chooseFiles(diskFiles.open(folder), 'code').files.map((file) => ({
    file,
    name: pathInside(folder, file.path),
    modifiedMs: statSync(file.path, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  }));
}

function newest(files: readonly FoundFile[]): readonly FoundFile[] {
  let bytes = 0;
  const newestFirst = files.toSorted((one, other) => other.modifiedMs - one.modifiedMs);
  return newestFirst.filter(({ file }) => (bytes += file.size) <= mostBytes);
}
