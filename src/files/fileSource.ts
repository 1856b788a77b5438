import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';

/** A file for random access. Throws UserError when it is missing, no file, or may not be read. */
export function openFile(path: string): ByteSource {
  const descriptor = openForReading(path);
  const size = fstatSync(descriptor).size;
  return {
    name: path,
    size,
    read(offset, into) {
      let done = 0;
      while (done < into.length) {
        const count = readOnce(path, descriptor, into, done, offset + done);
        if (count === 0) throw new UserError('file-unreadable', `${path} ended at byte ${offset + done}: it was cut off while in use.`);
        done += count;
      }
    },
    close: () => closeSync(descriptor),
  };
}

function openForReading(path: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UserError('file-not-found', `${path} does not exist.`, { cause });
    throw new UserError('file-unreadable', `${path} cannot be opened (${code}). Check its permissions.`, { cause });
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new UserError('file-unreadable', `${path} is not a file.`);
}

function readOnce(path: string, descriptor: number, into: Uint8Array, start: number, offset: number): number {
  try {
    return readSync(descriptor, into, start, Math.min(into.length - start, 2 ** 30), offset);
  } catch (cause) {
    throw new UserError('file-unreadable', `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
