import { promptAndAnswer } from '../sequence.js';
import type { RowFormat } from './format.js';
import { textField } from './textField.js';

/** A prompt and how it goes on, both as they are (https://huggingface.co/docs/trl/dataset_formats#prompt-completion). */
export const promptCompletion: RowFormat = {
  name: 'prompt-completion',
  fields: { prompt: 'prompt', completion: 'answer' },
  tooLong: 'cut',
  recognises: (row) => 'prompt' in row && 'completion' in row,
  encode: (row, context) => promptAndAnswer(textField(row, 'prompt'), textField(row, 'completion'), context),
};
