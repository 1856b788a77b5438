import { promptAndAnswer } from '../sequence.js';
import type { RowFormat } from './format.js';
import { textField } from './textField.js';

/** Instruction data in the Stanford Alpaca format (https://github.com/tatsu-lab/stanford_alpaca#data-release). */
export const alpaca: RowFormat = {
  name: 'alpaca',
  fields: { instruction: 'prompt', input: 'prompt', output: 'answer' },
  tooLong: 'cut',
  recognises: (row) => 'instruction' in row && 'output' in row,
  encode(row, context) {
    const prompt = alpacaPrompt(textField(row, 'instruction'), textField(row, 'input', true));
    return promptAndAnswer(prompt, textField(row, 'output'), context);
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
