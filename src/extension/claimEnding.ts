import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSummary } from '../protocol/backend.js';

const markPrefix = '.told-';

/**
 * Whether this window is the one to tell of a run's end: several may show one folder of runs, and the first to leave its mark does.
 * Where no mark can be left, an end is rather told twice than never.
 */
export async function claimEnding({ runId, state }: Pick<RunSummary, 'runId' | 'state'>): Promise<boolean> {
  // A run that is resumed ends again, at another time.
  const mark = markPrefix + state.updatedAt.replace(/\D/g, '');
  try {
    await writeFile(join(runId, mark), '', { flag: 'wx' });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EEXIST';
  }
  // The marks of its earlier ends.
  const older = (await readdir(runId)).filter((name) => name.startsWith(markPrefix) && name < mark);
  await Promise.all(older.map((name) => rm(join(runId, name), { force: true })));
  return true;
}
