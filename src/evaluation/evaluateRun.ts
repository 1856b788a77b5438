import CRC32 from 'crc-32';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { adapterTensorsFile } from '../core/adapters/peft.js';
import { ChunkIndex } from '../complete/retrieval/chunkIndex.js';
import { UserError } from '../core/errors.js';
import { modelPath } from '../files/cacheFolder.js';
import { reading } from '../files/reading.js';
import { TextModels, type EngineChoice } from '../inference/textModels.js';
import { t } from '../l10n/text.js';
import type { CompletionArm, CompletionReport, LeakedFile } from '../protocol/completionReport.js';
import type { EvaluateCompletionProgress, EvaluateCompletionRequest } from '../protocol/evaluateCompletion.js';
import { modelName } from '../protocol/modelName.js';
import { runName } from '../protocol/runName.js';
import { adapterAt } from '../runs/adapterAt.js';
import { RunDirectory } from '../runs/runDirectory.js';
import { readLabels } from '../runs/runLabels.js';
import { contextBuilders } from './arms.js';
import { evaluateArms } from './evaluateArms.js';
import { EvaluationFolder } from './evaluationFolder.js';
import { findLeaks } from './leaks.js';
import { modelCompleter } from './modelCompleter.js';
import { choosePositions, type SourceFile } from './positions.js';
import { evaluationSources, fingerprintOf, type EvaluationSources } from './sources.js';
import { summarize } from './summarize.js';
import { controlOf, trainControl } from './trainControl.js';
import { retrievalIndex } from './retrievalIndex.js';

export interface EvaluatedRun {
  readonly report: CompletionReport;
  readonly reportPath: string;
}

/**
 * Compares a run's adapter with its base, its control and any other adapters, at seeded positions in files that it has never seen.
 * What was interrupted is continued. The report is written into the run directory.
 */
export function evaluateRun(
  request: EvaluateCompletionRequest,
  engine: EngineChoice,
  report: (progress: EvaluateCompletionProgress) => void,
  signal: AbortSignal,
): Promise<EvaluatedRun> {
  const run = RunDirectory.open(request.run);
  const { trainControlOn: trainedOn } = request;
  const arms = async () => {
    const control =
      trainedOn === null ? keptControl(run, request.control) : await trainControl(run, trainedOn, training(report), signal);
    return armsOf(run, control, request);
  };
  return evaluateAdapters({ ...request, name: nameOf(run), folder: run.path, arms }, engine, report, signal);
}

export interface AdapterEvaluation extends Omit<EvaluateCompletionRequest, 'control' | 'trainControlOn' | 'adapters'> {
  /** What is evaluated, for the report. */
  readonly name: string;
  /** Where the evaluation is kept. */
  readonly folder: string;
  /** Asked for once it is known that there is something to complete. */
  arms(): Promise<readonly CompletionArm[]>;
}

/** Compares adapters at seeded positions in files that they have never seen, which are those that one of their runs held out. */
export async function evaluateAdapters(
  { name, folder: keptIn, arms: armsOf, ...request }: AdapterEvaluation,
  engine: EngineChoice,
  report: (progress: EvaluateCompletionProgress) => void,
  signal: AbortSignal,
): Promise<EvaluatedRun> {
  const run = RunDirectory.open(request.run);
  const sources = await evaluationSources(run, request.files);
  const { clean, leaked } = withoutLeaks(sources);
  const positions = choosePositions(clean, request.positions, request.seed);
  if (positions.length === 0) throw nothingToComplete(run, leaked);
  const { model } = run.readConfig();
  const index = request.retrieval ? await retrievalIndex(model, request, sources.retrievable()) : new ChunkIndex();
  const arms = await armsOf();

  const { mode, fillInTheMiddle, maxNewTokens, adapterStrength, seed } = request;
  const options = { mode, fillInTheMiddle, maxNewTokens, adapterStrength };
  const folder = EvaluationFolder.of(keptIn, {
    version: planVersion,
    model,
    ...options,
    device: engine.device,
    seed,
    positions: request.positions,
    arms: arms.map((arm) => ({ ...arm, tensors: arm.adapter && tensorsSum(arm.adapter) })),
    files: fingerprintOf(clean),
    ...(request.retrieval && { retrievedFrom: fingerprintOf(sources.retrievable()) }),
  });
  const lock = folder.lock();
  const models = new TextModels(engine);
  try {
    return await models.use(modelPath(model), async (ready) => {
      const completer = modelCompleter(models, ready, options, contextBuilders(index));
      const asked = (done: number, total: number): void => report({ stage: 'completing', done, total });
      await evaluateArms({ positions, arms }, completer, folder.results, asked, signal);
      const { results } = folder;
      const written: CompletionReport = {
        run: name,
        model: modelName(model),
        engine: ready.textModel.description,
        createdAt: new Date().toISOString(),
        seed,
        leaked,
        ...summarize({ positions, arms }, results.cases(), results.unrelated(), seed),
      };
      folder.writeReport(written);
      return { report: written, reportPath: folder.reportPath };
    });
  } finally {
    lock.release();
    await models.close();
  }
}

/** Raised when the same files and seed give other positions or results. */
const planVersion = 4;

function withoutLeaks({ heldOut, training }: EvaluationSources): {
  readonly clean: readonly SourceFile[];
  readonly leaked: readonly LeakedFile[];
} {
  const leaked = findLeaks(heldOut, training());
  const paths = new Set(leaked.map(({ path }) => path));
  return { clean: heldOut.filter(({ path }) => !paths.has(path)), leaked };
}

function nothingToComplete(run: RunDirectory, [leak]: readonly LeakedFile[]): UserError {
  const message = leak
    ? t`${run.path} was trained on everything that could be evaluated: ${leak.path} is in ${leak.trainedOn}, for example. Name other files with --files.`
    : t`The files that ${run.path} holds out are too short to complete anything in. Name other files with --files.`;
  return new UserError('data-invalid', message);
}

function training(report: (progress: EvaluateCompletionProgress) => void) {
  return (done: number, total: number) => report({ stage: 'trainingControl', done, total });
}

/** The one that is named, or the one that was trained for this run. */
function keptControl(run: RunDirectory, control: string | null): string | null {
  if (control !== null) return adapterAt(resolve(control));
  const kept = controlOf(run);
  const isTrained = existsSync(kept) && RunDirectory.open(kept).readState().status === 'finished';
  return isTrained ? adapterAt(kept) : null;
}

function armsOf(
  run: RunDirectory,
  control: string | null,
  { adapters, retrieval }: EvaluateCompletionRequest,
): readonly CompletionArm[] {
  const context = 'cursor' as const;
  const own = { name: nameOf(run), role: 'adapter' as const, adapter: adapterAt(run.path), context };
  const others = adapters.map((path) => adapterAt(resolve(path)));
  return [
    { name: 'base', role: 'base', adapter: null, context },
    ...(control === null ? [] : [{ name: 'control', role: 'control' as const, adapter: control, context }]),
    own,
    ...others.map((adapter) => ({ name: adapterName(adapter), role: 'other' as const, adapter, context })),
    ...(retrieval ? retrievedArms(own) : []),
  ];
}

/** Neither takes part in the headline, which is about the adapter alone. */
function retrievedArms({ name, adapter }: CompletionArm): readonly CompletionArm[] {
  const about = { role: 'other', context: 'retrieved' } as const;
  return [
    { name: 'base + retrieval', adapter: null, ...about },
    { name: `${name} + retrieval`, adapter, ...about },
  ];
}

/** A run's adapter goes by the run's name. */
function adapterName(folder: string): string {
  const parent = dirname(folder);
  return existsSync(join(parent, 'run.json')) ? nameOf(RunDirectory.open(parent)) : basename(folder);
}

function nameOf(run: RunDirectory): string {
  return readLabels(run.path).name ?? runName(run.readConfig());
}

function tensorsSum(adapter: string): number {
  const path = join(adapter, adapterTensorsFile);
  return reading(path, () => CRC32.buf(readFileSync(path)));
}
