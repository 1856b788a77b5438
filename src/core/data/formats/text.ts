import { t } from '../../../l10n/text.js';
import { wholeText } from '../sequence.js';
import { Unusable } from '../source.js';
import type { RowFormat } from './format.js';

/** Rows with one text each, like most corpora on the model hub. */
export const textRows: RowFormat = {
  name: 'text',
  fields: { text: 'text' },
  tooLong: 'windows',
  recognises: (row) => 'text' in row,
  encode({ text }, context) {
    if (typeof text !== 'string') throw new Unusable(t`"text" is missing or not a text`);
    if (text.trim() === '') throw new Unusable(t`"text" is empty`);
    return wholeText(text, context);
  },
};
