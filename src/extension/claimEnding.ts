import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSummary } from '../protocol/backend.js';

const markPrefix = '.told-';

/**
 * Whether this window is the one to report a run's end. Several windows may show the same folder of runs; the first to leave its
 * mark reports the end. If no mark can be left, it is better to report an end twice than never.
 */
export async function claimEnding({ runId, state }: Pick<RunSummary, 'runId' | 'state'>): Promise<boolean> {
  // A resumed run ends again, at another time.
  const mark = markPrefix + state.updatedAt.replace(/\D/g, '');
  try {
    await writeFile(join(runId, mark), '', { flag: 'wx' });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EEXIST';
  }
  // Removes the marks of the run's earlier ends.
  const older = (await readdir(runId)).filter((name) => name.startsWith(markPrefix) && name < mark);
  await Promise.all(older.map((name) => rm(join(runId, name), { force: true })));
  return true;
}
