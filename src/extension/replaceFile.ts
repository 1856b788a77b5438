import { constants } from 'node:fs';
import { access, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Replaces a file so that readers see the old text or the new, never a part: the text is written to a temporary file next to it,
 * flushed and renamed. A link stays a link.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const mode = await modeOf(target);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.new`);
  try {
    const file = await open(temporary, 'w', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Returns undefined if there is no file yet. Throws if the file is not writable, because a rename would replace it anyway. */
async function modeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found) await access(path, constants.W_OK);
  return found?.mode;
}
