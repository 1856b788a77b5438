/** @file evaluations/ in a run directory: one folder for each evaluation, named after what decides its numbers. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { makeFolder, writeFileAtomically } from '../files/atomicWrite.js';
import { readJsonFile } from '../files/jsonFile.js';
import { t } from '../l10n/text.js';
import { completionReport, type CompletionReport } from '../protocol/completionReport.js';
import { ProcessLock } from '../runs/processLock.js';
import { ResultsFile } from './results.js';

/** Everything that decides the numbers, so that an evaluation is continued only by its like. */
export type EvaluationPlan = Readonly<Record<string, unknown>>;

const reportFile = 'report.json';

export class EvaluationFolder {
  private constructor(readonly path: string) {}

  /** The folder for this plan: a new one, or the one that was begun. */
  static of(runFolder: string, plan: EvaluationPlan): EvaluationFolder {
    const json = JSON.stringify(plan, null, 2);
    const name = createHash('sha256').update(json).digest('hex').slice(0, 12);
    const folder = new EvaluationFolder(join(evaluationsOf(runFolder), name));
    makeFolder(folder.path);
    writeFileAtomically(join(folder.path, 'plan.json'), `${json}\n`);
    return folder;
  }

  /** One process at a time may add to it; throws UserError('run-busy') while another does. */
  lock(): ProcessLock {
    return ProcessLock.acquire(join(this.path, 'lock'), () => {
      const message = t`The same evaluation is running already, perhaps in another window (${this.path}). Wait until it has ended, or stop it there.`;
      return new UserError('run-busy', message);
    });
  }

  get results(): ResultsFile {
    return new ResultsFile(join(this.path, 'results.jsonl'));
  }

  get reportPath(): string {
    return join(this.path, reportFile);
  }

  writeReport(report: CompletionReport): void {
    writeFileAtomically(this.reportPath, `${JSON.stringify(report)}\n`);
  }
}

/** The report that was written last; null if there is none. Throws UserError('file-corrupt') if it is damaged. */
export function latestReport(runFolder: string): CompletionReport | null {
  const folder = evaluationsOf(runFolder);
  if (!existsSync(folder)) return null;
  const written = readdirSync(folder)
    .map((name) => join(folder, name, reportFile))
    .flatMap((path) => ({ path, modified: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -1 }))
    .filter(({ modified }) => modified >= 0)
    .sort((one, other) => other.modified - one.modified);
  const [newest] = written;
  if (!newest) return null;
  const report = readJsonFile(newest.path);
  if (completionReport(report)) return report;
  throw new UserError('file-corrupt', t`${newest.path} is damaged: evaluate the run again.`);
}

function evaluationsOf(runFolder: string): string {
  return join(runFolder, 'evaluations');
}
