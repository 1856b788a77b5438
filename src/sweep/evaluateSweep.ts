import { UserError } from '../core/errors.js';
import { evaluateAdapters, type EvaluatedRun } from '../evaluation/evaluateRun.js';
import { t } from '../l10n/text.js';
import type { CompletionArm } from '../protocol/completionReport.js';
import type { EvaluateCompletionProgress } from '../protocol/evaluateCompletion.js';
import { bestAdapterOf } from './heldOut.js';
import { SweepFolder } from './sweepFolder.js';

export interface SweepEvaluation {
  readonly positions: number;
  readonly seed: number;
}

/**
 * Measures how well the best adapters of the finished runs complete code, at the same places in the files that all of them held out.
 * What was interrupted is continued. The report is written into the sweep's folder. Throws UserError if no run has finished, and for
 * runs that have learned from something else than source code.
 */
export async function evaluateSweep(
  sweepFolder: string,
  { positions, seed }: SweepEvaluation,
  report: (progress: EvaluateCompletionProgress) => void,
  signal: AbortSignal,
): Promise<EvaluatedRun> {
  const folder = SweepFolder.open(sweepFolder);
  const finished = folder.runs().filter(({ directory }) => directory.readState().status === 'finished');
  const [first] = finished;
  if (!first)
    throw new UserError('run-busy', t`${folder.path}: no run of this sweep has finished yet, so none can be evaluated.`);
  const context = 'cursor' as const;
  const arms: readonly CompletionArm[] = [
    { name: 'base', role: 'base', adapter: null, context },
    ...finished.map((run) => ({ name: run.folder, role: 'other' as const, adapter: bestAdapterOf(run.directory), context })),
  ];
  const evaluation = {
    name: folder.sweep.name,
    folder: folder.path,
    run: first.directory.path,
    files: null,
    arms: async () => arms,
    positions,
    seed,
    ...asInTheEditor,
  };
  return evaluateAdapters(evaluation, folder.sweep.config.engine, report, signal);
}

/** With the editor's usual settings. */
const asInTheEditor = { mode: 'auto', fillInTheMiddle: 'auto', maxNewTokens: 64, adapterStrength: 1, retrieval: false } as const;
