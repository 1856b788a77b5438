import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import {
  fillInTheMiddleFormats,
  fillInTheMiddleNames,
  markersOf,
  type FillInTheMiddleFormat,
  type FillInTheMiddleOrder,
} from './fillInTheMiddleFormats.js';
import type { Tokenizer } from './tokenizer.js';

/** `auto` (recognized from the vocabulary), `none` (only the text before the cursor), the name of a format, or custom markers. */
export type FillInTheMiddleChoice = string | FillInTheMiddleMarkers;

/** Markers that a model was trained with, either tokens of its vocabulary or plain text. */
export interface FillInTheMiddleMarkers {
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
  readonly middle?: string | undefined;
  readonly end?: string | undefined;
  readonly order?: FillInTheMiddleOrder | undefined;
}

/**
 * Taught to a model whose vocabulary has no tokens for it; short, because each is several tokens. The middle ends as any text of the
 * model does.
 */
export const taughtMarkers: FillInTheMiddleMarkers = { prefix: '<PRE>', suffix: '<SUF>', middle: '<MID>', order: 'PSM' };

type Vocabulary = Pick<Tokenizer, 'tokenId'>;

/** The format that a vocabulary was made for; null if it has no such tokens, so that its model has not learned any format. */
export function recognizeFillInTheMiddle(vocabulary: Vocabulary): FillInTheMiddleFormat | null {
  const fits = (format: FillInTheMiddleFormat) =>
    missingTokens(format, vocabulary).length === 0 && (format.sign === null || vocabulary.tokenId(format.sign) !== undefined);
  return fillInTheMiddleFormats.find(fits) ?? null;
}

/** Null means that the model continues the text before the cursor. Throws UserError if the choice does not fit the model. */
export function chooseFillInTheMiddle(vocabulary: Vocabulary, choice: FillInTheMiddleChoice): FillInTheMiddleFormat | null {
  if (choice === 'auto') return recognizeFillInTheMiddle(vocabulary);
  if (choice === 'none') return null;
  if (typeof choice !== 'string') return ownFormat(choice);
  const format = fillInTheMiddleFormats.find(({ name }) => name === choice);
  const names = fillInTheMiddleNames.join(', ');
  if (!format)
    throw new UserError(
      'config-invalid',
      t`There is no fill-in-the-middle format "${choice}". Choose auto, none or one of ${names}.`,
    );
  const missing = missingTokens(format, vocabulary);
  if (missing.length === 0) return format;
  throw new UserError(
    'model-unsupported',
    t`This model cannot read the fill-in-the-middle format "${choice}": its vocabulary lacks ${missing.join(', ')}. Choose auto, none or another format.`,
  );
}

/** What ends a middle: tokens, and the texts of markers that are not single tokens. Neither is ever part of the middle. */
export function fillInTheMiddleEnds(
  format: FillInTheMiddleFormat,
  vocabulary: Vocabulary,
): { readonly ids: readonly number[]; readonly texts: readonly string[] } {
  const found = markersOf(format).map((text) => ({ text, id: vocabulary.tokenId(text) }));
  const stopIds = format.stops.flatMap((text) => vocabulary.tokenId(text) ?? []);
  return {
    ids: [...found.flatMap(({ id }) => id ?? []), ...stopIds],
    texts: found.flatMap(({ text, id }) => (id === undefined ? [text] : [])),
  };
}

function missingTokens(format: FillInTheMiddleFormat, vocabulary: Vocabulary): readonly string[] {
  const headers = Object.values(format.headers ?? {}).join('');
  const inHeaders = format.stops.filter((token) => headers.includes(token));
  return [...markersOf(format), ...inHeaders].filter((token) => vocabulary.tokenId(token) === undefined);
}

function ownFormat({ prefix, suffix, middle, end, order }: FillInTheMiddleMarkers): FillInTheMiddleFormat {
  if (!prefix || !suffix) {
    throw new UserError(
      'config-invalid',
      t`Markers of your own for fill-in-the-middle need at least a prefix and a suffix. Give them in the setting loraWorkbench.inlineCompletion.fillInTheMiddleMarkers, or as --fim-prefix and --fim-suffix on the command line.`,
    );
  }
  const [name, stops, headers, sign] = ['custom', [], null, null];
  return { name, order: order ?? 'PSM', prefix, suffix, middle: middle || null, end: end || null, stops, headers, sign };
}
