import * as wordings from './wordings.js';
import type { Wording } from './wordings.js';

/** A setting of run.json with the values that sentences ask for. */
export interface Setting {
  readonly section: string;
  readonly key: string;
  readonly choices: readonly Choice[];
}

export interface Choice {
  readonly value: unknown;
  readonly wording: Wording;
  /** What may fill the wording's place, in figures first. */
  readonly said: readonly string[];
}

const numberWords: Readonly<Record<number, string>> = {
  1: 'one',
  2: 'two',
  3: 'three',
  4: 'four',
  5: 'five',
  6: 'six',
  8: 'eight',
  10: 'ten',
  12: 'twelve',
  16: 'sixteen',
  32: 'thirty-two',
  64: 'sixty-four',
};

const rates = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3];

/** Of the default, 3e-4. */
const rateOfMultiple: Readonly<Record<string, number>> = {
  'a third of': 1e-4,
  half: 1.5e-4,
  twice: 6e-4,
  'ten times': 3e-3,
};

const attention = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];
const mlp = ['gate_proj', 'up_proj', 'down_proj'];

/** In the order of run.json. */
export const settings: readonly Setting[] = [
  { section: 'data', key: 'max_seq_length', choices: numbers([128, 256, 512, 1024, 2048], wordings.length) },
  { section: 'lora', key: 'r', choices: numbers([2, 4, 8, 12, 16, 32, 64, 128], wordings.rank) },
  {
    section: 'lora',
    key: 'target_modules',
    choices: [
      { value: attention, wording: wordings.attention, said: [''] },
      { value: mlp, wording: wordings.mlp, said: [''] },
      { value: ['q_proj', 'v_proj'], wording: wordings.queriesAndValues, said: [''] },
    ],
  },
  {
    section: 'train',
    key: 'learning_rate',
    choices: [
      ...rates.map((value) => ({ value, wording: wordings.rate, said: [value.toExponential()] })),
      ...Object.entries(rateOfMultiple).map(([said, value]) => ({ value, wording: wordings.relativeRate, said: [said] })),
    ],
  },
  { section: 'train', key: 'batch_size', choices: numbers([1, 2, 4, 8, 16, 32], wordings.batchSize) },
  { section: 'train', key: 'num_epochs', choices: numbers([1, 2, 3, 4, 5, 6, 8, 10], wordings.epochs) },
];

function numbers(values: readonly number[], wording: Wording): Choice[] {
  return values.map((value) => ({ value, wording, said: [String(value), numberWords[value] ?? String(value)] }));
}
