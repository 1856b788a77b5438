import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import type { HostTensor } from '../core/formats/hostTensor.js';
import { safetensorsBytes } from '../core/formats/safetensors.js';
import { baseDTypes, type BaseDType } from '../core/models/matrixForm.js';
import type { Progress } from '../core/train/loop.js';
import type { TrainableState } from '../core/train/stepRunner.js';
import { removeFolderAtomically, replaceFolderAtomically, writeFlushed } from '../files/atomicWrite.js';
import { readJsonFile } from '../files/jsonFile.js';
import { exists, isPermissionDenied, reading } from '../files/reading.js';
import { readTensorFile } from '../files/tensorFile.js';
import { t } from '../l10n/text.js';

/** trainer.json: together with state.safetensors, everything that a resumed run needs. */
export interface CheckpointRecord {
  readonly progress: Progress;
  readonly seed: number;
  /** Tells whether the data has changed. */
  readonly dataFingerprint: string;
  /** Data type of the base, which `auto` must not choose again; null in checkpoints of earlier versions. */
  readonly baseDType: BaseDType | null;
}

export interface Checkpoint {
  readonly record: CheckpointRecord;
  readonly state: TrainableState;
}

/** Kept besides the best one. Two, so that damage to the newest still leaves one. */
const keptCheckpoints = 2;

/**
 * Writes checkpoints/step-N, complete or not at all, then removes those that are neither among the newest nor the best.
 * Throws UserError('file-write-failed') and leaves the earlier checkpoints untouched if that fails.
 */
export function saveCheckpoint(checkpoints: string, state: TrainableState, record: CheckpointRecord): void {
  const { step, bestStep } = record.progress;
  // Any checkpoint beyond this step is damaged: the run was resumed from an earlier one because of that.
  for (const damaged of savedSteps(checkpoints).filter((saved) => saved > step)) remove(checkpoints, damaged);
  replaceFolderAtomically(join(checkpoints, folderName(step)), (temporary) => {
    writeFlushed(join(temporary, 'state.safetensors'), safetensorsBytes(flatten(state)));
    writeFlushed(join(temporary, 'trainer.json'), `${JSON.stringify(record, null, 2)}\n`);
  });
  const superseded = savedSteps(checkpoints).slice(0, -keptCheckpoints);
  for (const saved of superseded) if (saved !== bestStep) remove(checkpoints, saved);
}

/** The newest readable checkpoint; `onDamaged` is called for newer ones that are not readable. Null if there are none at all. */
export function readLatestCheckpoint(checkpoints: string, onDamaged: (message: string) => void): Checkpoint | null {
  const steps = savedSteps(checkpoints).reverse();
  for (const step of steps) {
    try {
      return readCheckpoint(join(checkpoints, folderName(step)));
    } catch (error) {
      // Missing permission is not damage: a run resumed from an earlier checkpoint would remove this one (saveCheckpoint).
      if (!(error instanceof UserError) || isPermissionDenied(error)) throw error;
      onDamaged(error.message);
    }
  }
  if (steps.length === 0) return null;
  throw new UserError('file-corrupt', t`No checkpoint in ${checkpoints} can be read. Start a new run.`);
}

export function readCheckpoint(folder: string): Checkpoint {
  const record = parseRecord(join(folder, 'trainer.json'));
  return { record, state: unflatten(readTensorFile(join(folder, 'state.safetensors'))) };
}

/** Ascending. */
export function savedSteps(checkpoints: string): number[] {
  if (!exists(checkpoints)) return [];
  const names = reading(checkpoints, () => readdirSync(checkpoints)).flatMap((name) => /^step-(\d{1,9})$/.exec(name)?.[1] ?? []);
  return names.map(Number).sort((a, b) => a - b);
}

function folderName(step: number): string {
  return `step-${step}`;
}

function remove(checkpoints: string, step: number): void {
  removeFolderAtomically(join(checkpoints, folderName(step)));
}

const groups = ['parameters', 'firstMoments', 'secondMoments'] as const;

function flatten(state: TrainableState): Map<string, HostTensor> {
  return new Map(groups.flatMap((group) => [...state[group]].map(([name, tensor]) => [`${group}/${name}`, tensor] as const)));
}

function unflatten(tensors: ReadonlyMap<string, HostTensor>): TrainableState {
  const group = (prefix: (typeof groups)[number]) =>
    new Map(
      [...tensors].flatMap(([name, tensor]) =>
        name.startsWith(`${prefix}/`) ? [[name.slice(prefix.length + 1), tensor] as const] : [],
      ),
    );
  return {
    parameters: group('parameters'),
    firstMoments: group('firstMoments'),
    secondMoments: group('secondMoments'),
  };
}

function parseRecord(path: string): CheckpointRecord {
  const json = withDefaults(readJsonFile(path));
  if (!isRecord(json)) throw new UserError('file-corrupt', t`${path} is damaged: it does not say how far the run had come.`);
  return json;
}

/**
 * Earlier versions did not record the base's data type, nor the last evaluated step: every evaluation that was due had been done,
 * unless the device failed during it.
 */
function withDefaults(json: unknown): unknown {
  if (!isObject(json) || !isObject(json['progress'])) return json;
  const { progress } = json;
  return { baseDType: null, ...json, progress: { evaluatedStep: progress['step'], ...progress } };
}

const counters = ['step', 'epoch', 'microBatch', 'tokens', 'elapsedSeconds', 'evaluationsWithoutImprovement'];

function isRecord(json: unknown): json is CheckpointRecord {
  if (!isObject(json) || !isObject(json['progress'])) return false;
  const { progress, seed, dataFingerprint, baseDType } = json;
  const isCounter = (value: unknown) => typeof value === 'number' && value >= 0;
  return (
    counters.every((name) => isCounter(progress[name])) &&
    ['bestEvalLoss', 'bestStep', 'evaluatedStep'].every((name) => progress[name] === null || isCounter(progress[name])) &&
    isCounter(seed) &&
    typeof dataFingerprint === 'string' &&
    (baseDType === null || baseDTypes.some((known) => known === baseDType))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
