/**
 * @file fill_in_the_middle.json beside an adapter: the marker strings with which it taught its model to fill in the middle. An adapter
 * of a model that has its own tokens for that has no such file.
 */
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import {
  chooseFillInTheMiddle,
  type FillInTheMiddleChoice,
  type FillInTheMiddleMarkers,
} from '../core/tokenizer/fillInTheMiddle.js';
import type { FillInTheMiddleFormat } from '../core/tokenizer/fillInTheMiddleFormats.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { t } from '../l10n/text.js';
import { writeFileAtomically } from './atomicWrite.js';
import { readJsonFile } from './jsonFile.js';
import { exists } from './reading.js';

export const taughtMarkersFile = 'fill_in_the_middle.json';

/** How a model with an adapter fills in the middle; `auto` is what it was taught, by the adapter or before. */
export function fillInTheMiddleWith(
  adapterFolder: string | null,
  vocabulary: Pick<Tokenizer, 'tokenId'>,
  choice: FillInTheMiddleChoice = 'auto',
): FillInTheMiddleFormat | null {
  const taught = choice === 'auto' && adapterFolder !== null ? readTaughtMarkers(adapterFolder) : null;
  return chooseFillInTheMiddle(vocabulary, taught ?? choice);
}

/** Null if the adapter has taught none. */
export function readTaughtMarkers(adapterFolder: string): FillInTheMiddleMarkers | null {
  const path = join(adapterFolder, taughtMarkersFile);
  if (!exists(path)) return null;
  const json = readJsonFile(path);
  if (isMarkers(json)) return json;
  throw new UserError('file-corrupt', t`${path} is damaged: it does not hold the markers for filling in the middle.`);
}

export function writeTaughtMarkers(adapterFolder: string, markers: FillInTheMiddleMarkers): void {
  writeFileAtomically(join(adapterFolder, taughtMarkersFile), `${JSON.stringify(markers, null, 2)}\n`);
}

function isMarkers(value: unknown): value is FillInTheMiddleMarkers {
  if (typeof value !== 'object' || value === null) return false;
  const { prefix, suffix, middle, end, order } = value as Record<string, unknown>;
  const areTexts = [prefix, suffix].every((marker) => typeof marker === 'string' && marker !== '');
  const mayBeTexts = [middle, end].every((marker) => marker === undefined || typeof marker === 'string');
  return areTexts && mayBeTexts && (order === undefined || order === 'PSM' || order === 'SPM');
}
