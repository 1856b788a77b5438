import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { writeFailure } from '../atomicWrite.js';
import type { HubFile } from './repository.js';

/** The beginning of a file on disk, which grows, and its digest. */
export class PartialFile {
  doneBytes = 0;
  private digest: Hash;

  private constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly file: HubFile,
  ) {
    this.digest = beginDigest(file);
  }

  /** Opens a part and reads what is there already. */
  static async open(path: string, file: HubFile, signal: AbortSignal): Promise<PartialFile> {
    const handle = await writing(path, open(path, 'a+'));
    const part = new PartialFile(path, handle, file);
    try {
      await part.readAgain(signal);
      return part;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    await writing(this.path, this.handle.appendFile(bytes));
    this.digest.update(bytes);
    this.doneBytes += bytes.length;
  }

  async restart(): Promise<void> {
    await writing(this.path, this.handle.truncate(0));
    this.digest = beginDigest(this.file);
    this.doneBytes = 0;
  }

  /** Whether it is the file's whole content. Asked once, at the end. */
  isRight(): boolean {
    return this.doneBytes === this.file.sizeBytes && this.digest.digest('hex') === this.file.hash.digest;
  }

  /** Waits until everything is on disk. */
  async flush(): Promise<void> {
    await writing(this.path, this.handle.sync());
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async readAgain(signal: AbortSignal): Promise<void> {
    const { size } = await this.handle.stat();
    if (size > this.file.sizeBytes) return this.restart();
    if (size === 0) return;
    for await (const bytes of createReadStream(this.path, { end: size - 1, highWaterMark: 1 << 20, signal })) {
      this.digest.update(bytes as Buffer);
      this.doneBytes += (bytes as Buffer).length;
    }
  }
}

/** The digest by which the hub names a file; its content follows. */
function beginDigest({ hash, sizeBytes }: HubFile): Hash {
  return hash.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${sizeBytes}\0`);
}

async function writing<Result>(path: string, done: Promise<Result>): Promise<Result> {
  try {
    return await done;
  } catch (cause) {
    throw writeFailure(path, cause);
  }
}
