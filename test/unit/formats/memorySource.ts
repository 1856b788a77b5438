import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import type { ByteSource } from '../../../src/core/formats/byteSource.js';

export const goldenPath = (name: string) => fileURLToPath(new URL(`../../golden/${name}`, import.meta.url));
export const fixturePath = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));

export function memorySource(bytes: Uint8Array, name = 'some-file'): ByteSource {
  return {
    name,
    size: bytes.length,
    read(offset, into) {
      if (!(offset >= 0 && offset + into.length <= bytes.length)) throw new Error(`read beyond the end, at ${offset}`);
      into.set(bytes.subarray(offset, offset + into.length));
    },
    close: () => undefined,
  };
}

export function goldenSource(name: string): ByteSource {
  return memorySource(readFileSync(goldenPath(name)), name);
}

/** The error that the user would see; any error but a UserError fails the test. */
export function userErrorOf(action: () => unknown): UserError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error('no error was thrown');
}

/** Runs the action; true if it passed, false if it threw a short UserError that names the file. Other errors are rethrown. */
export function passesOrNames(file: string, action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).toContain(file);
    expect(error.message.length).toBeLessThan(2000);
    return false;
  }
}
