import { promptTemplates, type PromptTemplate, type SamplingSettings } from '../../src/protocol/backend.js';
import { number, object, oneOf, type Guard } from '../../src/protocol/guard.js';
import type { PhraseKey } from '../../src/protocol/webviewStrings.js';
import { element, freshId } from '../shared/dom.js';
import { t } from '../shared/text.js';

/** `auto` is the template that the adapter was trained with. */
export type PlaygroundTemplate = PromptTemplate | 'auto';
export const templates = ['auto', ...promptTemplates] as const;

export interface PlaygroundSettings extends SamplingSettings {
  readonly maxNewTokens: number;
  readonly template: PlaygroundTemplate;
}

export const isSettings: Guard<PlaygroundSettings> = object({
  temperature: number,
  topK: number,
  topP: number,
  minP: number,
  repetitionPenalty: number,
  seed: number,
  maxNewTokens: number,
  template: oneOf(...templates),
});

export const firstSettings: PlaygroundSettings = {
  temperature: 0.7,
  topP: 0.95,
  topK: 0,
  minP: 0,
  repetitionPenalty: 1,
  maxNewTokens: 256,
  seed: 1,
  template: 'auto',
};

/** Bounds of the numbers, in the order of the form. */
const numbers = {
  temperature: { min: 0, max: 5, step: 0.05 },
  topP: { min: 0, max: 1, step: 0.01 },
  topK: { min: 0, max: 1000, step: 1 },
  minP: { min: 0, max: 1, step: 0.01 },
  repetitionPenalty: { min: 0.5, max: 3, step: 0.05 },
  maxNewTokens: { min: 1, max: 8192, step: 1 },
  seed: { min: 0, max: 4294967295, step: 1 },
} as const;

/** Reports a change only if the number is within its bounds; otherwise the field shows that it is not. */
export function samplingFields(
  settings: PlaygroundSettings,
  onChange: (change: Partial<PlaygroundSettings>) => void,
): HTMLElement {
  const fields = Object.entries(numbers).map(([name, bounds]) => {
    const input = element('input', {
      type: 'number',
      id: freshId(name),
      value: settings[name as keyof typeof numbers],
      ...bounds,
      step: bounds.step,
      required: true,
    });
    input.addEventListener('input', () => {
      input.setAttribute('aria-invalid', String(!input.validity.valid));
      if (input.validity.valid) onChange({ [name]: input.valueAsNumber });
    });
    return field(name as keyof typeof numbers, input);
  });
  return element('div', { class: 'fields sampling' }, ...fields);
}

function field(name: keyof typeof numbers, input: HTMLInputElement): HTMLElement {
  const help = t(`sampling.${name}.help` satisfies PhraseKey);
  const description = element('span', { class: 'visually-hidden', id: freshId('help') }, help);
  input.setAttribute('aria-describedby', description.id);
  return element(
    'div',
    { class: 'field', title: help },
    element('label', { class: 'field-label', for: input.id }, t(`sampling.${name}`)),
    input,
    description,
  );
}
