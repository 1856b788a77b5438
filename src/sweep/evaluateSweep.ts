import { UserError } from '../core/errors.js';
import { evaluateAdapters, type EvaluatedRun } from '../evaluation/evaluateRun.js';
import type { EngineChoice } from '../inference/textModels.js';
import { t } from '../l10n/text.js';
import type { CompletionArm } from '../protocol/completionReport.js';
import type { EvaluateCompletionProgress, EvaluateSweepRequest } from '../protocol/evaluateCompletion.js';
import { bestAdapterOf } from './heldOut.js';
import { SweepFolder } from './sweepFolder.js';

/**
 * Measures how well the best adapters of the finished runs complete code, at the same places in the files that all of them held out.
 * What was interrupted is continued. The report is written into the sweep's folder. Throws UserError if no run has finished, and for
 * runs that have learned from something else than source code.
 */
export async function evaluateSweep(
  { sweepId, ...request }: EvaluateSweepRequest,
  engine: EngineChoice,
  report: (progress: EvaluateCompletionProgress) => void,
  signal: AbortSignal,
): Promise<EvaluatedRun> {
  const folder = SweepFolder.open(sweepId);
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
    ...request,
    retrieval: false, // the adapters are compared, not what they are told
  };
  return evaluateAdapters(evaluation, engine, report, signal);
}
