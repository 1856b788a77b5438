/** @file Which settings the form shows, in which order and under which heading. */
import type { PhraseKey } from '../../src/protocol/webviewStrings.js';
import { allSettingPaths } from '../shared/settings.js';
import type { SettingPath } from './formConfig.js';

export interface FormSection {
  readonly title: PhraseKey;
  readonly paths: readonly SettingPath[];
}

/** The settings that every user decides; the rest is under Advanced. */
export const mainSections: readonly FormSection[] = [
  { title: 'form.section.data', paths: [['model'], ['data', 'path'], ['data', 'format'], ['data', 'max_seq_length']] },
  {
    title: 'form.section.adapter',
    paths: [
      ['lora', 'r'],
      ['lora', 'alpha'],
      ['lora', 'target_modules'],
      ['lora', 'dropout'],
    ],
  },
  {
    title: 'form.section.training',
    paths: [
      ['train', 'learning_rate'],
      ['train', 'num_epochs'],
      ['train', 'max_steps'],
      ['train', 'batch_size'],
      ['train', 'gradient_accumulation_steps'],
    ],
  },
  {
    title: 'form.section.engine',
    paths: [
      ['engine', 'device'],
      ['engine', 'base_dtype'],
    ],
  },
];

const evaluation = new Set(['eval_steps', 'save_steps', 'logging_steps', 'early_stopping_patience', 'sample_prompts']);

const advancedGroups: readonly { readonly title: PhraseKey; readonly holds: (path: SettingPath) => boolean }[] = [
  { title: 'form.section.dataDetails', holds: ([section]) => section === 'data' },
  { title: 'form.section.adapterDetails', holds: ([section]) => section === 'lora' },
  { title: 'form.section.optimizer', holds: ([section, key = '']) => section === 'train' && !evaluation.has(key) },
  { title: 'form.section.evaluation', holds: ([section, key = '']) => section === 'train' && evaluation.has(key) },
  { title: 'form.section.engineDetails', holds: ([section]) => section === 'engine' },
];

/** All other settings of the schema. There is only one kind of engine, so it is not offered. */
export function advancedSections(): FormSection[] {
  const shown = new Set(['engine.kind', ...mainSections.flatMap(({ paths }) => paths.map((path) => path.join('.')))]);
  const rest = allSettingPaths().filter((path) => !shown.has(path.join('.')));
  return advancedGroups.map(({ title, holds }) => ({ title, paths: rest.filter(holds) }));
}

/** What an empty field means, for settings that may be empty. */
const emptyMeanings: Readonly<Record<string, PhraseKey>> = {
  'data.eval_path': 'form.empty.evalPath',
  'data.include': 'form.empty.all',
  'data.languages': 'form.empty.all',
  'data.fim_spm_rate': 'form.empty.fimSpmRate',
  'lora.layers': 'form.empty.layers',
  'train.max_steps': 'form.empty.maxSteps',
  'data.max_tokens': 'form.empty.noLimit',
  'train.max_tokens': 'form.empty.noLimit',
  'train.warmup_steps': 'form.empty.warmupSteps',
  'train.early_stopping_patience': 'form.empty.never',
  'engine.threads': 'form.empty.automatic',
};

export function emptyMeaning(path: SettingPath): PhraseKey {
  return emptyMeanings[path.join('.')] ?? 'form.empty.none';
}
