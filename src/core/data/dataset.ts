import CRC32 from 'crc-32';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import type { Example } from './batch.js';
import { batchesForEpoch, type BatchOptions, type BatchPlan, type EpochOrder, type TrainingData } from './batches.js';
import type { FormatName } from './detectFormat.js';
import type { LeftOut } from './fileRules.js';
import { fillInTheMiddleFor, type FillInTheMiddleConfig } from './fillInTheMiddle.js';
import { languageOf } from './languages.js';
import { PlaceReader, type PlaceRead } from './placeReader.js';
import { pathInside, type ReadSequence } from './readSequences.js';
import {
  byKind,
  parts,
  sampleSequences,
  sortedByTokens,
  summarize,
  warningsAbout,
  type DataReport,
  type FittedExample,
} from './report.js';
import type { EncodingContext } from './sequence.js';
import { shuffledIndices, shuffleStreams } from './shuffle.js';
import type { DataFiles } from './source.js';

/** The settings under `data` in run.json, and the seed. */
export interface DatasetConfig extends FillInTheMiddleConfig {
  readonly path: string;
  readonly format: FormatName | 'auto';
  readonly eval_path: string | null;
  /** Share of the records held out if eval_path is null. */
  readonly eval_fraction: number;
  /** At most so many tokens to learn from, in the first files of a folder of source code; the others are left out as older. */
  readonly max_tokens?: number | null;
  readonly max_seq_length: number;
  readonly train_on_prompt: boolean;
  readonly seed: number;
}

export interface Dataset {
  readonly training: readonly FittedExample[];
  /** Empty if nothing is held out. */
  readonly evaluation: readonly FittedExample[];
  readonly report: DataReport;
  /** All that was not learned from; the report has the first of each kind. */
  readonly leftOut: readonly LeftOut[];
  /** Changes when any id or label does. */
  readonly fingerprint: string;
}

interface LoadOptions {
  /** Exclusive upper bound for ids: the model's vocabulary size; defaults to the tokenizer's. */
  readonly vocabSize?: number;
  /** Called after each record; throw from it to stop. */
  readonly onRecord?: (records: number) => void;
}

/**
 * Reads, encodes, checks and splits training data. Broken records are left out and reported; throws UserError('data-invalid') if
 * nothing usable is left or an id is outside the model's vocabulary. Every returned example, and so every batch, has at least one
 * token to learn.
 */
export function loadDataset(config: DatasetConfig, tokenizer: Tokenizer, files: DataFiles, options: LoadOptions = {}): Dataset {
  const context: EncodingContext = {
    tokenizer,
    vocabSize: options.vocabSize ?? tokenizer.vocabSize,
    maxSequenceLength: config.max_seq_length,
    trainOnPrompt: config.train_on_prompt,
    fillInTheMiddle: fillInTheMiddleFor(tokenizer, config, config.seed),
  };
  const reader = new PlaceReader(context, files, options.onRecord);
  const main = reader.read(config.path, config.format, config.max_tokens);
  const { training, evaluation } =
    config.eval_path === null
      ? split(main, config.eval_fraction, config.seed)
      : {
          training: examplesOf(main.records),
          evaluation: examplesOf(reader.read(config.eval_path, main.format).records),
        };
  const summary = summarize(training, config.max_seq_length);
  const heldOut = evaluation.length > 0 ? summarize(evaluation, config.max_seq_length) : null;
  return {
    training,
    evaluation,
    leftOut: main.leftOut,
    fingerprint: fingerprint(training, evaluation),
    report: {
      format: main.format,
      training: summary,
      evaluation: heldOut,
      ...describeFiles(main, evaluation),
      leftOut: byKind(main.leftOut),
      skipped: reader.skipped,
      skippedCount: reader.skippedCount,
      samples: sampleSequences(training, tokenizer),
      warnings: warningsAbout(summary, heldOut, reader.skippedCount, config.max_seq_length),
    },
  };
}

function describeFiles(
  { format, folder, files, heldOut }: PlaceRead,
  evaluation: readonly FittedExample[],
): Pick<DataReport, 'files' | 'fileCount' | 'languages' | 'folders' | 'heldOutBy'> {
  const isCode = folder !== null && format === 'code';
  return {
    files: sortedByTokens(files),
    fileCount: files.length,
    languages: isCode ? parts(files, languageOf) : [],
    folders: isCode ? parts(files, (path) => topFolder(pathInside(folder, path))) : [],
    heldOutBy: isCode && evaluation.length > 0 ? (heldOut?.by ?? null) : null,
  };
}

/** `.` for a file that is in no folder. */
function topFolder(path: string): string {
  const end = path.indexOf('/');
  return end < 0 ? '.' : path.slice(0, end);
}

export type DatasetOptions = BatchOptions & Omit<EpochOrder, 'epoch'>;

/** A data set for the training loop: the same arguments give the same batches, whenever and in whatever order requested. */
export function trainingData(
  { training, evaluation }: { readonly training: readonly Example[]; readonly evaluation: readonly Example[] },
  options: DatasetOptions,
): TrainingData {
  let latest: { readonly epoch: number; readonly plan: BatchPlan } | undefined;
  return {
    epoch(epoch) {
      if (latest?.epoch !== epoch) latest = { epoch, plan: batchesForEpoch(training, options, { ...options, epoch }) };
      return latest.plan;
    },
    evaluation:
      evaluation.length > 0 ? batchesForEpoch(evaluation, options, { shuffle: false, seed: options.seed, epoch: 0 }) : null,
  };
}

function examplesOf(records: readonly ReadSequence[]): FittedExample[] {
  return records.flatMap(({ origin, sequences, cut }) => sequences.map((sequence) => ({ ...sequence, origin, cut })));
}

/**
 * Splits by record, so that all windows of a file stay on the same side; a single long text is split by its windows. A record is a
 * file where files were chosen to be held out.
 */
function split(
  { records, heldOut: files }: PlaceRead,
  fraction: number,
  seed: number,
): { training: FittedExample[]; evaluation: FittedExample[] } {
  if (files && records.some(({ origin }) => !files.paths.has(origin))) {
    return {
      training: examplesOf(records.filter(({ origin }) => !files.paths.has(origin))),
      evaluation: examplesOf(records.filter(({ origin }) => files.paths.has(origin))),
    };
  }
  const units =
    records.length > 1
      ? records
      : records.flatMap((record) => record.sequences.map((sequence) => ({ ...record, sequences: [sequence] })));
  const heldOut = chooseHeldOut(units.length, fraction, seed);
  return {
    training: examplesOf(units.filter((_, index) => !heldOut.has(index))),
    evaluation: examplesOf(units.filter((_, index) => heldOut.has(index))),
  };
}

/**
 * The indices of the records to hold out: a share of them, chosen by the seed. With two or more records, at least one is held out
 * and at least one is kept; with a single record or a share of 0, none is held out.
 */
export function chooseHeldOut(count: number, fraction: number, seed: number): ReadonlySet<number> {
  if (count < 2 || fraction <= 0) return new Set();
  const heldOut = Math.min(count - 1, Math.max(1, Math.round(count * fraction)));
  return new Set(shuffledIndices(count, seed, shuffleStreams.split).subarray(0, heldOut));
}

function fingerprint(...sets: readonly (readonly Example[])[]): string {
  let sum = 0;
  const add = (numbers: Int32Array) => {
    sum = CRC32.buf(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), sum);
  };
  for (const examples of sets) {
    add(Int32Array.of(examples.length));
    for (const { inputIds, labels } of examples) [Int32Array.of(inputIds.length), inputIds, labels].forEach(add);
  }
  return (sum >>> 0).toString(16).padStart(8, '0');
}
