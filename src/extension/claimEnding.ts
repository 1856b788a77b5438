import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSummary } from '../protocol/backend.js';

/**
 * Whether this window is the one to tell of a run's end: several may show one folder of runs, and the first to leave its mark does.
 * Where no mark can be left, an end is rather told twice than never.
 */
export async function claimEnding({ runId, state }: Pick<RunSummary, 'runId' | 'state'>): Promise<boolean> {
  // A run that is resumed ends again, at another time.
  const mark = join(runId, `.told-${state.updatedAt.replace(/\D/g, '')}`);
  try {
    await writeFile(mark, '', { flag: 'wx' });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EEXIST';
  }
}
