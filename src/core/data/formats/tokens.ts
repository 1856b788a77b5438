import { t } from '../../../l10n/text.js';
import { UserError } from '../../errors.js';
import { ignoredLabel } from '../batch.js';
import { Unusable } from '../source.js';
import type { Row, RowFormat } from './format.js';

/** Sequences tokenized elsewhere: `input_ids` and, if only a part is to be learned, `labels` (not shifted, −100 ignored). */
export const tokens: RowFormat = {
  name: 'tokens',
  fields: { input_ids: 'token ids', labels: 'labels' },
  tooLong: 'cut',
  recognises: (row) => 'input_ids' in row,
  encode(row, { vocabSize }, origin) {
    const inputIds = wholeNumbers(row, 'input_ids');
    const labels = row.labels === undefined ? inputIds.slice() : wholeNumbers(row, 'labels');
    if (labels.length !== inputIds.length)
      throw new Unusable(t`"labels" has ${labels.length} entries and "input_ids" ${inputIds.length}`);
    const outside = (id: number) => id < 0 || id >= vocabSize;
    const wrong = inputIds.find(outside) ?? labels.find((label) => label !== ignoredLabel && outside(label));
    if (wrong === undefined) return { inputIds, labels };
    throw new UserError(
      'data-invalid',
      t`${origin} has the id ${wrong}, but the model's vocabulary ends at ${vocabSize - 1}. Was it tokenized for another model?`,
    );
  },
};

function wholeNumbers(row: Row, name: string): Int32Array {
  const value = row[name];
  const isInt32 = (entry: unknown) => typeof entry === 'number' && (entry | 0) === entry;
  if (Array.isArray(value) && value.length > 0 && value.every(isInt32)) return Int32Array.from(value as number[]);
  throw new Unusable(t`"${name}" is not a list of whole numbers`);
}
