import { settingSchema } from '../../src/protocol/runConfigSchema.js';
import { element, freshId, setText } from '../shared/dom.js';
import { settingHelp, settingTitle, t } from '../shared/text.js';
import { controlFor, type Control, type OnInput } from './controls.js';
import { emptyMeaning } from './formSections.js';
import type { FormConfig, SettingPath } from './formConfig.js';

type HostProblems = ReadonlyMap<string, string>;

export interface FieldOptions {
  /** Replaces the control that the schema suggests. */
  readonly control?: (onInput: OnInput) => Control;
  /** Shown under the control. */
  readonly note?: HTMLElement;
}

/** One setting: its label, its control and what is wrong with it. The help is its tooltip and its accessible description. */
export class Field {
  readonly root: HTMLElement;
  /** What is wrong with it according to the schema or the host; null if nothing is. */
  problem: string | null = null;
  private readonly control: Control;
  private readonly error = element('p', { class: 'field-error', id: freshId('error') });

  constructor(
    readonly path: SettingPath,
    private readonly form: FormConfig,
    options: FieldOptions = {},
  ) {
    const onInput = (value: unknown) => {
      form.set(path, value);
    };
    this.control = options.control?.(onInput) ?? controlFor(settingSchema(path)!, onInput, t(emptyMeaning(path)));
    const explanation = explain(path);
    const help = element('p', { class: 'visually-hidden', id: freshId('help') }, explanation);
    const { labelled } = this.control;
    labelled.setAttribute('aria-describedby', `${help.id} ${this.error.id}`);
    const attributes = {
      class: 'field',
      'data-setting': path.join('.'),
      title: explanation,
      focusout: () => {
        form.flush();
      },
    };
    this.root = element('div', attributes, ...this.labelAndControl(), options.note ?? null, this.error, help);
  }

  update(hostProblems: HostProblems): void {
    this.control.show(this.form.get(this.path));
    const problem = (this.problem = this.form.problem(this.path) ?? hostProblems.get(this.path.join('.')) ?? null);
    setText(this.error, problem ?? '');
    // A setting that has not been filled in yet is not an error.
    const wrong = problem !== null && this.form.get(this.path) !== undefined;
    this.root.classList.toggle('invalid', wrong);
    this.root.classList.toggle('modified', this.isModified());
    const { labelled } = this.control;
    if (labelled.role !== 'group') labelled.setAttribute('aria-invalid', String(wrong));
  }

  focus(): void {
    const { labelled } = this.control;
    const target = labelled.role === 'group' ? labelled.querySelector('input') : labelled;
    target?.focus();
    this.root.scrollIntoView({ block: 'nearest' });
  }

  private isModified(): boolean {
    const written = this.form.written(this.path);
    const standard = settingSchema(this.path)?.default;
    return standard !== undefined && written !== undefined && JSON.stringify(written) !== JSON.stringify(standard);
  }

  private labelAndControl(): HTMLElement[] {
    const { root, labelled } = this.control;
    const title = settingTitle(this.path);
    if (labelled.role === 'group') {
      const name = element('span', { class: 'field-label', id: freshId('label') }, title);
      labelled.setAttribute('aria-labelledby', name.id);
      return [name, root];
    }
    labelled.id = freshId('setting');
    root.querySelectorAll('input[type=range]').forEach((slider) => {
      slider.setAttribute('aria-label', title);
    });
    const label = element('label', { class: 'field-label', for: labelled.id }, title);
    return labelled instanceof HTMLInputElement && labelled.type === 'checkbox'
      ? [element('div', { class: 'checkbox-field' }, root, label)]
      : [label, root];
  }
}

function explain(path: SettingPath): string {
  const standard = settingSchema(path)?.default;
  if (standard === undefined || standard === null) return settingHelp(path);
  return `${settingHelp(path)} ${t('form.default', Array.isArray(standard) ? standard.join(', ') : String(standard))}`;
}
