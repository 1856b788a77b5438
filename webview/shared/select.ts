import type { ModelInfo } from '../../src/protocol/backend.js';
import { element } from './dom.js';
import { formatBytes, t } from './text.js';

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export function modelChoices(models: readonly ModelInfo[]): Choice[] {
  return models.map(({ path, name, sizeBytes }) => ({ value: path, label: `${name} (${formatBytes(sizeBytes)})` }));
}

/** Offers the choices and selects one. A value that is not among them is kept and shown under its own name. */
export function showChoices(select: HTMLSelectElement, choices: readonly Choice[], chosen: string): void {
  const isListed = choices.some(({ value }) => value === chosen);
  const offered = isListed ? choices : [...choices, { value: chosen, label: chosen || t('form.choose') }];
  const signature = JSON.stringify(offered);
  // Replacing the options closes an open list, so do it only if they differ.
  if (select.dataset['offered'] !== signature) {
    select.dataset['offered'] = signature;
    select.replaceChildren(...offered.map(({ value, label }) => element('option', { value, title: value }, label)));
  }
  select.value = chosen;
}
