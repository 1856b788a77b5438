/** @file Native controls for the kinds of values in the schema. A control shows a value and reports what is typed. */
import type { SettingSchema } from '../../src/protocol/runConfigSchema.js';
import { printNumber } from '../../src/protocol/printNumber.js';
import type { BrowsableSetting } from '../../src/protocol/views/fineTune.js';
import { button, element, freshId } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { showChoices, type Choice } from '../shared/select.js';
import { t } from '../shared/text.js';

export interface Control {
  readonly root: HTMLElement;
  /** The element to label and describe: an input, or a group of them. */
  readonly labelled: HTMLElement;
  readonly show: (value: unknown) => void;
}

export type OnInput = (value: unknown) => void;

/** `whenEmpty`: what an empty field means, if it may be empty. */
export function controlFor(schema: SettingSchema, onInput: OnInput, whenEmpty: string): Control {
  const types = [schema.type ?? []].flat();
  if (schema.enum)
    return selectControl(
      schema.enum.map((value) => ({ value, label: value })),
      onInput,
    );
  if (types.includes('boolean')) return checkboxControl(onInput);
  if (types.includes('integer') || types.includes('number'))
    return numberControl(types.includes('null') ? whenEmpty : '', onInput);
  if (types.includes('array'))
    return schema.items?.enum
      ? checkboxesControl(schema.items.enum, onInput)
      : listControl(onInput, {
          placeholder: whenEmpty,
          parse: schema.items?.type === 'string' ? (text) => text.trim() : parseNumber,
          empty: types.includes('null') ? null : [],
        });
  return textControl(types.includes('null'), onInput, whenEmpty);
}

/** The choices can be replaced; the new ones appear with the next value. */
export function selectControl(
  choices: readonly Choice[],
  onInput: OnInput,
): Control & { setChoices(choices: readonly Choice[]): void } {
  let offered = choices;
  const select = element('select');
  select.addEventListener('change', () => {
    onInput(select.value);
  });
  // A value from the document that is not among the choices is also reported as a problem.
  const show = (value: unknown) => {
    showChoices(select, offered, typeof value === 'string' ? value : '');
  };
  const setChoices = (replacement: readonly Choice[]) => {
    offered = replacement;
  };
  return { root: select, labelled: select, show, setChoices };
}

function checkboxControl(onInput: OnInput): Control {
  const box = element('input', { type: 'checkbox' });
  box.addEventListener('change', () => {
    onInput(box.checked);
  });
  return {
    root: box,
    labelled: box,
    show: (value) => {
      box.checked = value === true;
    },
  };
}

function numberControl(placeholder: string, onInput: OnInput): Control {
  const input = numberInput(onInput);
  input.placeholder = placeholder;
  return {
    root: input,
    labelled: input,
    show: (value) => {
      showNumber(input, value);
    },
  };
}

/** Text instead of type=number: 3e-4 stays as typed, and letters are shown and reported instead of swallowed. */
function numberInput(onInput: OnInput): HTMLInputElement {
  const input = element('input', {
    type: 'text',
    inputmode: 'decimal',
    spellcheck: 'false',
    autocomplete: 'off',
    class: 'number',
  });
  input.addEventListener('input', () => {
    onInput(parseNumber(input.value));
  });
  return input;
}

/** Null if it is empty, the text itself if it is not a number. */
function parseNumber(text: string): number | string | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : trimmed;
}

function showNumber(input: HTMLInputElement, value: unknown): void {
  if (parseNumber(input.value) === (value ?? null)) return;
  input.value = typeof value === 'number' ? printNumber(value) : typeof value === 'string' ? value : '';
}

/** A slider for the usual range, next to a number field for any value. */
export function sliderControl({ min, max, step }: { min: number; max: number; step: number }, onInput: OnInput): Control {
  const slider = element('input', { type: 'range', min, max, step });
  const input = numberInput((value) => {
    if (typeof value === 'number') slider.value = String(value);
    onInput(value);
  });
  slider.addEventListener('input', () => {
    input.value = slider.value;
    onInput(slider.valueAsNumber);
  });
  const show = (value: unknown) => {
    showNumber(input, value);
    if (typeof value === 'number') slider.value = String(value);
  };
  return { root: element('div', { class: 'slider-and-number' }, slider, input), labelled: input, show };
}

function textControl(optional: boolean, onInput: OnInput, whenEmpty: string): Control {
  const input = element('input', { type: 'text', spellcheck: 'false', autocomplete: 'off' });
  input.placeholder = optional ? whenEmpty : t('form.choose');
  input.addEventListener('input', () => {
    onInput(input.value === '' && optional ? null : input.value);
  });
  const show = (value: unknown) => {
    const text = typeof value === 'string' ? value : '';
    if (input.value === text) return;
    input.value = text;
    // When a path is cut off, its end says more than its beginning.
    input.scrollLeft = input.scrollWidth;
  };
  return { root: input, labelled: input, show };
}

/** The control, with a button next to it for the host's file dialog. */
export function withBrowse(control: Control, setting: BrowsableSetting, beforehand: () => void): Control {
  const browse = button({
    kind: 'icon',
    icon: 'folder-opened',
    label: t(`form.browse.${setting}`),
    onClick: () => {
      beforehand();
      post({ type: 'browse', setting });
    },
  });
  return { ...control, root: element('div', { class: 'with-browse' }, control.root, browse) };
}

function checkboxesControl(values: readonly string[], onInput: OnInput): Control {
  const boxes = values.map((value) => element('input', { type: 'checkbox', value }));
  const tell = () => {
    onInput(boxes.filter((box) => box.checked).map((box) => box.value));
  };
  const labels = boxes.map((box) => element('label', { class: 'inline-control' }, box, element('span', {}, box.value)));
  const group = element('div', { class: 'checkboxes', role: 'group', change: tell }, ...labels);
  const show = (value: unknown) => {
    for (const box of boxes) box.checked = Array.isArray(value) && value.includes(box.value);
  };
  return { root: group, labelled: group, show };
}

interface ListOptions {
  readonly placeholder: string;
  readonly parse: (text: string) => unknown;
  /** The value of an empty field. */
  readonly empty: null | readonly [];
}

/** Values separated by commas. */
function listControl(onInput: OnInput, { placeholder, parse: parseOne, empty }: ListOptions): Control {
  const input = element('input', {
    type: 'text',
    id: freshId('list'),
    spellcheck: 'false',
    autocomplete: 'off',
    placeholder,
  });
  const parse = () => (input.value.trim() === '' ? empty : input.value.split(',').map(parseOne));
  input.addEventListener('input', () => {
    onInput(parse());
  });
  const show = (value: unknown) => {
    if (JSON.stringify(parse()) !== JSON.stringify(value ?? empty)) input.value = Array.isArray(value) ? value.join(', ') : '';
  };
  return { root: input, labelled: input, show };
}
