import { t } from '../../../l10n/text.js';
import { promptAndAnswer } from '../sequence.js';
import { Unusable } from '../source.js';
import type { Row, RowFormat } from './format.js';

/** Instruction data in the Stanford Alpaca format (https://github.com/tatsu-lab/stanford_alpaca#data-release). */
export const alpaca: RowFormat = {
  name: 'alpaca',
  tooLong: 'cut',
  recognises: (row) => 'instruction' in row && 'output' in row,
  encode(row, context) {
    const prompt = alpacaPrompt(field(row, 'instruction'), field(row, 'input', true));
    return promptAndAnswer(prompt, field(row, 'output'), context);
  },
};

/** The prompt that the model sees before its answer, both in training and in use. */
export function alpacaPrompt(instruction: string, input = ''): string {
  return input === ''
    ? 'Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n' +
        `### Instruction:\n${instruction}\n\n### Response:`
    : 'Below is an instruction that describes a task, paired with an input that provides further context. ' +
        'Write a response that appropriately completes the request.\n\n' +
        `### Instruction:\n${instruction}\n\n### Input:\n${input}\n\n### Response:`;
}

function field(row: Row, name: string, mayBeEmpty = false): string {
  const value = row[name] ?? (mayBeEmpty ? '' : undefined);
  if (value === undefined) throw new Unusable(t`"${name}" is missing`);
  if (typeof value !== 'string') throw new Unusable(t`"${name}" is not a text`);
  if (value === '' && !mayBeEmpty) throw new Unusable(t`"${name}" is empty`);
  return value;
}
