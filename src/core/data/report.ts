import { t } from '../../l10n/text.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { ignoredLabel, type Example } from './batch.js';
import type { FormatName } from './detectFormat.js';
import { leftOutKinds, type LeftOut, type LeftOutKind } from './fileRules.js';
import { learnedTokens } from './sequence.js';
import type { HeldOutBy, Skipped } from './source.js';

/** What the model will see, for the user to inspect before spending any time on training. Plain data. */
export interface DataReport {
  readonly format: FormatName;
  readonly training: DataSummary;
  /** Null if nothing is held out. */
  readonly evaluation: DataSummary | null;
  /** For a folder, what each file contributes, most tokens first; at most a thousand. Empty for a single file. */
  readonly files: readonly FileUse[];
  readonly fileCount: number;
  /** For a folder of source code, what each language and each folder at the top contributes, most tokens first. */
  readonly languages: readonly PartOfData[];
  readonly folders: readonly PartOfData[];
  /** Null if nothing is held out of a folder of source code. */
  readonly heldOutBy: HeldOutBy | null;
  /** Files and folders that were not opened, by reason. */
  readonly leftOut: readonly LeftOutGroup[];
  /** The first hundred. */
  readonly skipped: readonly Skipped[];
  readonly skippedCount: number;
  /** The first training sequences, token by token. */
  readonly samples: readonly SampleSequence[];
  /** Things that look wrong but do not prevent training. */
  readonly warnings: readonly string[];
}

/** What a file in a folder contributes; held out if all of its examples are. */
export interface FileUse {
  readonly path: string;
  readonly examples: number;
  readonly tokens: number;
  readonly heldOut: boolean;
}

export interface PartOfData {
  readonly name: string;
  readonly files: number;
  readonly tokens: number;
}

export interface LeftOutGroup {
  readonly kind: LeftOutKind;
  readonly count: number;
  /** The first hundred. */
  readonly files: readonly Omit<LeftOut, 'kind'>[];
}

export interface DataSummary {
  readonly examples: number;
  readonly tokens: number;
  /** Tokens that the loss counts. */
  readonly labelTokens: number;
  readonly shortestLength: number;
  readonly medianLength: number;
  /** The 95th percentile of the lengths. */
  readonly length95: number;
  readonly longestLength: number;
  readonly histogram: readonly LengthBin[];
  /** Examples that were cut at the limit. */
  readonly truncated: number;
}

/** The number of examples that are longer than the previous bin's limit and at most `upTo`. */
export interface LengthBin {
  readonly upTo: number;
  readonly examples: number;
}

export interface SampleSequence {
  readonly origin: string;
  readonly tokens: readonly SampleToken[];
  /** Number of tokens cut off at the limit. */
  readonly cut: number;
}

export interface SampleToken {
  readonly id: number;
  readonly text: string;
  /** Whether the loss counts it. */
  readonly learned: boolean;
}

/** An example and how many tokens of its record were cut off. */
export interface FittedExample extends Example {
  readonly cut: number;
}

/** Memory for ids and labels, plus V8's overhead for each example's two arrays and name (bench/dataMemory.ts). */
export function bytesInMemory({ examples, tokens }: Pick<DataSize, 'examples' | 'tokens'>): number {
  return 2 * 4 * tokens + 1500 * examples;
}

/** The properties of a data set that determine how much memory a run needs, including held-out examples. */
export interface DataSize {
  readonly examples: number;
  readonly tokens: number;
  /** Tokens of the longest example. */
  readonly longest: number;
}

export function sizeOf({ training, evaluation }: Pick<DataReport, 'training' | 'evaluation'>): DataSize {
  return {
    examples: training.examples + (evaluation?.examples ?? 0),
    tokens: training.tokens + (evaluation?.tokens ?? 0),
    longest: Math.max(training.longestLength, evaluation?.longestLength ?? 0),
  };
}

const samplesShown = 3;
export const tokensShown = 4096;
export const skippedShown = 100;
const leftOutShown = 100;
const filesShown = 1000;

export function sortedByTokens(files: readonly FileUse[]): FileUse[] {
  return [...files].sort((a, b) => b.tokens - a.tokens).slice(0, filesShown);
}

export function byKind(leftOut: readonly LeftOut[]): LeftOutGroup[] {
  return leftOutKinds.flatMap((kind) => {
    const files = leftOut.filter((each) => each.kind === kind).map(({ kind: _kind, ...file }) => file);
    return files.length > 0 ? [{ kind, count: files.length, files: files.slice(0, leftOutShown) }] : [];
  });
}

/** Adds files up by what `nameOf` calls their part. */
export function parts(files: readonly FileUse[], nameOf: (path: string) => string): PartOfData[] {
  const found = new Map<string, PartOfData>();
  for (const { path, tokens } of files) {
    const name = nameOf(path);
    const part = found.get(name) ?? { name, files: 0, tokens: 0 };
    found.set(name, { name, files: part.files + 1, tokens: part.tokens + tokens });
  }
  return [...found.values()].sort((a, b) => b.tokens - a.tokens);
}

export function summarize(examples: readonly FittedExample[], maxSequenceLength: number): DataSummary {
  const lengths = Int32Array.from(examples, ({ inputIds }) => inputIds.length).sort();
  const at = (share: number) => lengths[Math.max(0, Math.ceil(share * lengths.length) - 1)] ?? 0;
  return {
    examples: examples.length,
    tokens: lengths.reduce((sum, length) => sum + length, 0),
    labelTokens: examples.reduce((sum, { labels }) => sum + learnedTokens(labels), 0),
    shortestLength: lengths[0] ?? 0,
    medianLength: at(0.5),
    length95: at(0.95),
    longestLength: lengths.at(-1) ?? 0,
    histogram: histogram(lengths, maxSequenceLength),
    truncated: examples.filter(({ cut }) => cut > 0).length,
  };
}

/** At most sixteen bins of equal width, up to the limit. */
function histogram(lengths: Int32Array, maxSequenceLength: number): LengthBin[] {
  const width = Math.max(1, Math.ceil(maxSequenceLength / 16));
  const counts = new Array<number>(Math.ceil(maxSequenceLength / width)).fill(0);
  for (const length of lengths) counts[Math.ceil(length / width) - 1]!++;
  return counts.map((examples, bin) => ({ upTo: Math.min((bin + 1) * width, maxSequenceLength), examples }));
}

export function sampleSequences(examples: readonly FittedExample[], tokenizer: Tokenizer): SampleSequence[] {
  return examples.slice(0, samplesShown).map((example) => tokenByToken(example, tokenizer, tokensShown));
}

export function tokenByToken(
  { origin, inputIds, labels, cut }: FittedExample,
  tokenizer: Tokenizer,
  max: number,
): SampleSequence {
  return {
    origin,
    cut,
    tokens: Array.from(inputIds.subarray(0, max), (id, index) => ({
      id,
      text: tokenizer.tokenText(id),
      // The first token has nothing before it to be predicted from.
      learned: index > 0 && labels[index] !== ignoredLabel,
    })),
  };
}

/** Findings that a newcomer should know about; each says what to do. */
export function warningsAbout(
  training: DataSummary,
  evaluation: DataSummary | null,
  skippedCount: number,
  maxSequenceLength: number,
): string[] {
  const warnings = [];
  const percent = (part: number, whole: number) => `${Math.round((100 * part) / whole)} %`;
  if (training.truncated > training.examples / 10)
    warnings.push(
      t`${percent(training.truncated, training.examples)} of the examples are cut at ${maxSequenceLength} tokens; raise data.max_seq_length if the memory allows.`,
    );
  if (skippedCount > training.examples / 20)
    warnings.push(
      skippedCount === 1
        ? t`One record was skipped and ${training.examples} used; see the reason.`
        : t`${skippedCount} records were skipped and ${training.examples} used; see the reasons.`,
    );
  if (!evaluation)
    warnings.push(t`No data is held out, so overfitting would go unnoticed; set data.eval_fraction or data.eval_path.`);
  return warnings;
}
