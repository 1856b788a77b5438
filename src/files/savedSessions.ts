/** @file The sessions that were made of models and saved, so that they begin at once: sessions/<model, and how it is held>/<session>. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync, utimesSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { Mutex } from '../core/mutex.js';
import { makeFolder, removeFolderAtomically, staged, writeFlushed } from './atomicWrite.js';
import { cacheFolder } from './cacheFolder.js';
import { freeDiskBytes } from './freeDisk.js';
import { readJsonFile } from './jsonFile.js';
import { modelStamp } from './stamps.js';

interface Limits {
  /** Smaller models begin at once anyway. */
  readonly smallest: number;
  /** All saved sessions together; those used last stay. */
  readonly mostBytes: number;
  /** What is left to others on the disk. */
  readonly spareBytes: number;
}

const usualLimits: Limits = { smallest: 64e6, mostBytes: 20e9, spareBytes: 5e9 };

/** The sessions of the model at a path, unless they are small. `heldAs` is whatever decides what they hold, beside its files. */
export function savedSessionsOf(modelPath: string, limits = usualLimits) {
  return (heldAs: readonly string[], bytes: number): ModelSessions | undefined =>
    bytes < limits.smallest ? undefined : new ModelSessions(modelPath, heldAs, bytes, limits);
}

const adding = new Mutex();

/** Whatever goes wrong here only means that a session is made again. */
class ModelSessions {
  private readonly stamp: string;
  private readonly folder: string;

  constructor(
    private readonly modelPath: string,
    heldAs: readonly string[],
    /** Of all sessions together. */
    private readonly bytes: number,
    private readonly limits: Limits,
  ) {
    this.stamp = modelStamp(modelPath);
    const identity = createHash('sha256').update(JSON.stringify([modelPath, this.stamp, ...heldAs]));
    this.folder = join(sessionsFolder(), identity.digest('hex').slice(0, 32));
  }

  /** Undefined if a file is missing, or has lost its end: mapping it would end the process. */
  find(name: string): string | undefined {
    const path = join(this.folder, name);
    return quietly(() => {
      const { files } = readJsonFile(join(path, contentsFile)) as { files: readonly (readonly [name: string, bytes: number])[] };
      if (files.some(([file, bytes]) => statSync(join(path, file)).size !== bytes)) return undefined;
      utimesSync(this.folder, new Date(), new Date());
      return path;
    });
  }

  /** One after the other, since unfinished folders are named after their process. */
  add(name: string, fill: (folder: string) => Promise<void>): Promise<string | undefined> {
    return adding.runExclusive(async () => {
      if (this.find(name) === undefined) await this.write(name, fill).catch(() => undefined); // another process may have written it
      return this.find(name);
    });
  }

  remove(name: string): void {
    remove(join(this.folder, name));
  }

  private async write(name: string, fill: (folder: string) => Promise<void>): Promise<void> {
    if (!this.makeRoom()) return;
    makeFolder(this.folder);
    writeFlushed(join(this.folder, modelFile), JSON.stringify({ model: this.modelPath, stamp: this.stamp }));
    this.remove(name);
    await staged(join(this.folder, name), false, async (folder) => {
      await fill(folder);
      const files = readdirSync(folder).map((file) => [file, statSync(join(folder, file)).size]);
      writeFlushed(join(folder, contentsFile), JSON.stringify({ files }));
    });
  }

  /**
   * Removes sessions of models that are gone or changed, and the longest unused ones if there is no room. Those of other models stay
   * if there would be none without them.
   */
  private makeRoom(): boolean {
    for (const folder of this.others()) if (isOutdated(folder)) remove(folder);
    const removable = this.others().reduce((bytes, folder) => bytes + bytesIn(folder), 0);
    if (!this.hasRoom(removable)) return false;
    for (const folder of this.others()) if (!this.hasRoom()) remove(folder);
    return this.hasRoom();
  }

  /** The folders of other models, the longest unused first. */
  private others(): readonly string[] {
    return byLastUse(sessionsFolder()).filter((folder) => folder !== this.folder);
  }

  /** Whether what is missing would fit if so many bytes were removed. */
  private hasRoom(removed = 0): boolean {
    const { mostBytes, spareBytes } = this.limits;
    const missing = this.bytes - bytesIn(this.folder) - removed;
    return freeDiskBytes(sessionsFolder()) >= missing + spareBytes && bytesIn(sessionsFolder()) + missing <= mostBytes;
  }
}

const [modelFile, contentsFile] = ['model.json', 'contents.json'] as const;

function sessionsFolder(): string {
  return join(cacheFolder(), 'sessions');
}

function isOutdated(folder: string): boolean {
  const made = quietly(() => readJsonFile(join(folder, modelFile)) as { model: string; stamp: string });
  return made === undefined || modelStamp(made.model) !== made.stamp;
}

function byLastUse(folder: string): readonly string[] {
  const used = (path: string): number => statSync(path).mtimeMs;
  const folders = entriesOf(folder).map(({ name }) => join(folder, name));
  return folders.sort((a, b) => used(a) - used(b));
}

function bytesIn(folder: string): number {
  const bytes = entriesOf(folder).map((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? bytesIn(path) : statSync(path).size;
  });
  return bytes.reduce((sum, each) => sum + each, 0);
}

function entriesOf(folder: string): Dirent[] {
  return existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
}

/** Where a file that another process has mapped cannot be removed, it stays. */
function remove(folder: string): void {
  quietly(() => removeFolderAtomically(folder));
}

function quietly<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
