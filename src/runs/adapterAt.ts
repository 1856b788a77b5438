import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { t } from '../l10n/text.js';
import { RunDirectory } from './runDirectory.js';

/** The adapter that a path names: the folder itself or, for a run directory, the run's best adapter, else its last one. */
export function adapterAt(path: string): string {
  if (!existsSync(join(path, 'state.json'))) return path;
  const run = RunDirectory.open(path);
  const found = [run.bestAdapterPath, run.adapterPath].find(existsSync);
  if (found === undefined) throw new UserError('file-not-found', t`The run ${path} has no adapter yet.`);
  return found;
}
