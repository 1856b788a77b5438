/** @file Turns windows of source files into examples of filling in the middle (https://arxiv.org/abs/2207.14255). */
import CRC32 from 'crc-32';
import { Random } from '../random.js';
import { windowAround, windowCharacters } from '../tokenizer/contextWindow.js';
import { chooseFillInTheMiddle, recognizeFillInTheMiddle, taughtMarkers } from '../tokenizer/fillInTheMiddle.js';
import type { FillInTheMiddleFormat, FillInTheMiddleOrder } from '../tokenizer/fillInTheMiddleFormats.js';
import { fillInTheMiddleExample } from '../tokenizer/fillInTheMiddlePrompt.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { ignoredLabel } from './batch.js';
import { chooseMiddle, piecesOfSyntax } from './middles.js';
import type { Sequence } from './sequence.js';

/** What a single completion can reasonably be asked to write, in characters; and there must be room around it. */
const longestMiddle = 700;

/** The settings `data.fim_…` in run.json. */
export interface FillInTheMiddleConfig {
  /** Share of the windows of source files. */
  readonly fim_rate?: number;
  /** Share of these that put the suffix first; null means the order that the model has learned. */
  readonly fim_spm_rate?: number | null;
  /** Whether the loss counts all tokens or only the middle with its end. */
  readonly fim_loss?: 'all' | 'middle';
  /** Whether a model without tokens for it is taught to read marker strings. */
  readonly fim_format?: 'auto' | 'teach';
}

export interface FillInTheMiddle {
  readonly format: FillInTheMiddleFormat;
  readonly rate: number;
  readonly spmRate: number | null;
  readonly loss: 'all' | 'middle';
  readonly seed: number;
}

/** Null if nothing is to be filled in: the model has no tokens for it, and is not to be taught any markers. */
export function fillInTheMiddleFor(tokenizer: Tokenizer, config: FillInTheMiddleConfig, seed: number): FillInTheMiddle | null {
  const { fim_rate: rate = 0, fim_spm_rate: spmRate = null, fim_loss: loss = 'all' } = config;
  const teaches = teachesMarkers(tokenizer, config);
  const format = teaches ? chooseFillInTheMiddle(tokenizer, taughtMarkers) : recognizeFillInTheMiddle(tokenizer);
  return rate > 0 ? format && { format, rate, spmRate, loss, seed } : null;
}

/** Whether training on source code teaches the model `taughtMarkers`, because its vocabulary has no tokens for them. */
export function teachesMarkers(
  tokenizer: Pick<Tokenizer, 'tokenId'>,
  { fim_rate = 0, fim_format = 'auto' }: FillInTheMiddleConfig,
): boolean {
  return fim_rate > 0 && fim_format === 'teach' && recognizeFillInTheMiddle(tokenizer) === null;
}

export interface SourceText {
  readonly text: string;
  /** Path in the repository, with forward slashes, and the repository's name, as the editor tells them. */
  readonly file: string;
  readonly repository?: string;
}

/**
 * Replaces some of a text's windows by examples whose middle starts in the same part of the text, with as much of the text before
 * and after it as `maxLength` tokens hold. Which ones, and where, depends only on the seed and the file.
 */
export function withFillInTheMiddle(
  windows: readonly Sequence[],
  source: SourceText,
  { rate, seed, ...options }: FillInTheMiddle,
  tokenizer: Tokenizer,
  maxLength: number,
): Sequence[] {
  const random = new Random(seed, CRC32.str(source.file) >>> 0);
  const longest = Math.min(longestMiddle, windowCharacters(maxLength) / 2);
  const pieces = piecesOfSyntax(source.text, longest);
  const boundary = (window: number): number => Math.round((window * source.text.length) / windows.length);
  return windows.map((window, index) => {
    if (random.uniform() >= rate) return window;
    const middle = chooseMiddle(source.text, pieces, { start: boundary(index), end: boundary(index + 1) }, longest, random);
    const format = { ...options.format, order: orderOf(options, random) };
    return (middle && example(source, middle, format, options.loss, tokenizer, maxLength)) ?? window;
  });
}

function orderOf({ format, spmRate }: Pick<FillInTheMiddle, 'format' | 'spmRate'>, random: Random): FillInTheMiddleOrder {
  if (spmRate === null) return format.order;
  return random.uniform() < spmRate ? 'SPM' : 'PSM';
}

/** Null if the middle alone is too long. */
function example(
  { text, file, repository }: SourceText,
  { start, end }: { readonly start: number; readonly end: number },
  format: FillInTheMiddleFormat,
  loss: 'all' | 'middle',
  tokenizer: Tokenizer,
  maxLength: number,
): Sequence | null {
  const around = windowAround(text.slice(0, start), text.slice(end), maxLength);
  const place = { file, ...(repository && { repository }) };
  const found = fillInTheMiddleExample(format, tokenizer, { ...around, ...place, middle: text.slice(start, end) }, maxLength);
  if (!found) return null;
  const inputIds = Int32Array.from(found.ids);
  const labels = inputIds.slice();
  if (loss === 'middle') labels.fill(ignoredLabel, 0, found.middleStart);
  return { inputIds, labels };
}
