import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';
import { t } from '../l10n/text.js';
import { reading } from './reading.js';

/** Opens a file for random access. Throws UserError if it is missing, not a file, or not readable. */
export function openFile(path: string): ByteSource {
  const descriptor = openForReading(path);
  return {
    name: path,
    size: fstatSync(descriptor).size,
    read(offset, into) {
      let done = 0;
      while (done < into.length) {
        const count = readOnce(path, descriptor, into, done, offset + done);
        if (count === 0) {
          throw new UserError('file-unreadable', t`${path} ended at byte ${offset + done}: it was cut off while in use.`);
        }
        done += count;
      }
    },
    close: () => closeSync(descriptor),
  };
}

/** Reads a whole small file. Throws UserError as openFile does, and if the file is larger than `limit` bytes. */
export function readSmallFile(path: string, limit: number): Uint8Array {
  const source = openFile(path);
  try {
    if (source.size > limit) {
      throw new UserError('file-corrupt', t`${path} has ${source.size} bytes, too large for this kind of file.`);
    }
    const bytes = new Uint8Array(source.size);
    source.read(0, bytes);
    return bytes;
  } finally {
    source.close();
  }
}

function openForReading(path: string): number {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer; on files it changes nothing. Windows has neither.
  const descriptor = reading(path, () => openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
  const status = fstatSync(descriptor);
  if (status.isFile()) return descriptor;
  closeSync(descriptor);
  throw new UserError('file-unreadable', status.isDirectory() ? t`${path} is a folder, not a file.` : t`${path} is not a file.`);
}

function readOnce(path: string, descriptor: number, into: Uint8Array, start: number, offset: number): number {
  return reading(path, () => readSync(descriptor, into, start, Math.min(into.length - start, 2 ** 30), offset));
}
