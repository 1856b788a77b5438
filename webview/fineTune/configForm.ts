import type { ConfigCheck, ModelInfo } from '../../src/protocol/backend.js';
import { presetEdits, presets } from '../../src/protocol/presets.js';
import { settingSchema } from '../../src/protocol/runConfigSchema.js';
import type { ConfigDocument, DataState } from '../../src/protocol/webview.js';
import type { PhraseKey } from '../../src/protocol/webviewStrings.js';
import { button, element, icon, setText } from '../shared/dom.js';
import { modelChoices } from '../shared/select.js';
import { allSettingPaths } from '../shared/settings.js';
import { formatNumber, presetHelp, presetTitle, t } from '../shared/text.js';
import {
  controlFor,
  selectControl,
  sliderControl,
  withBrowse,
  type Control,
  type OnInput,
} from './controls.js';
import { DocumentBanner } from './documentBanner.js';
import { Field, type FieldOptions } from './field.js';
import { FormConfig, type SettingPath } from './formConfig.js';

/** The settings that everybody decides; the rest is under Advanced. */
const sections: readonly { readonly title: PhraseKey; readonly paths: readonly SettingPath[] }[] = [
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

interface FormState {
  readonly document: ConfigDocument;
  readonly check: ConfigCheck | null;
  readonly models: readonly ModelInfo[];
  readonly data: DataState;
}

/** The configuration as a form. */
export class ConfigForm {
  readonly root: HTMLElement;
  private readonly fields: readonly Field[];
  private readonly dataNote = element('p', { class: 'field-note' });
  private readonly batchNote = element('p', { class: 'field-note' });
  private readonly banner = new DocumentBanner();
  private readonly others = element('ul', { class: 'other-problems' });
  private readonly settings = element('fieldset', { class: 'settings' });
  private readonly model: { control: ReturnType<typeof selectControl> | undefined } = { control: undefined };

  constructor(
    private readonly form: FormConfig,
    advancedOpen: boolean,
    onAdvanced: (open: boolean) => void,
  ) {
    const shown = new Set(sections.flatMap(({ paths }) => paths.map((path) => path.join('.'))));
    const advanced = allSettingPaths().filter((path) => !shown.has(path.join('.')) && path.join('.') !== 'engine.kind');
    const sectionFields = sections.map(({ paths }) => paths.map((path) => this.field(path)));
    const advancedFields = advanced.map((path) => this.field(path));
    this.fields = [...sectionFields.flat(), ...advancedFields];
    const fold = element(
      'details',
      { class: 'advanced', open: advancedOpen },
      element('summary', {}, t('form.advanced')),
      grid(advancedFields),
    );
    fold.addEventListener('toggle', () => {
      onAdvanced(fold.open);
    });
    this.settings.append(
      element('legend', { class: 'visually-hidden' }, t('form.title')),
      this.presetButtons(),
      ...sections.map(({ title }, index) =>
        element('section', { class: 'form-section' }, element('h2', {}, t(title)), grid(sectionFields[index]!)),
      ),
      fold,
    );
    this.root = element(
      'form',
      {
        class: 'config-form',
        submit: (event) => {
          event.preventDefault();
        },
      },
      this.banner.root,
      this.others,
      this.settings,
    );
  }

  /** Whether nothing keeps the run from being started. */
  get isValid(): boolean {
    return !this.settings.disabled && this.fields.every(({ path }) => this.form.problem(path) === null);
  }

  update({ document, check, models, data }: FormState): void {
    this.settings.disabled = document.kind !== 'parsed';
    this.banner.update(document);
    const problems = check?.ok === false ? check.problems : [];
    const byPath = new Map(problems.map(({ path, message }) => [path.slice(0, 2).join('.'), message]));
    this.model.control?.setChoices(modelChoices(models));
    for (const field of this.fields) field.update(byPath);
    this.showOthers(problems.filter(({ path }) => !this.hasField(path)).map(({ message }) => message));
    setText(this.batchNote, this.effectiveBatch());
    this.dataNote.replaceChildren(...dataSummary(data));
    this.dataNote.classList.toggle('failed', data.kind === 'failed');
  }

  /** A problem of an item, such as lora.target_modules.0, belongs to the field of its list; that of a section to its fields. */
  private hasField(path: readonly string[]): boolean {
    return this.fields.some((field) => {
      const shared = Math.min(field.path.length, path.length);
      return shared > 0 && path.slice(0, shared).every((key, index) => field.path[index] === key);
    });
  }

  /** Problems of settings that the form does not have, such as misspelt ones. */
  private showOthers(messages: readonly string[]): void {
    this.others.replaceChildren(...messages.map((message) => element('li', { class: 'field-error' }, message)));
  }

  private field(path: SettingPath): Field {
    return new Field(path, this.form, this.fieldOptions(path));
  }

  private fieldOptions(path: SettingPath): FieldOptions {
    const flush = () => {
      this.form.flush();
    };
    const browsable = (
      setting: 'data.path' | 'data.eval_path' | 'lora.init_from',
      note?: HTMLElement,
    ): FieldOptions => ({
      control: (onInput: OnInput): Control =>
        withBrowse(controlFor(settingSchema(path)!, onInput), setting, setting, flush),
      ...(note ? { note } : {}),
    });
    switch (path.join('.')) {
      case 'model':
        return {
          control: (onInput) => {
            this.model.control = selectControl([], onInput);
            return withBrowse(this.model.control, 'model', t('form.model'), flush);
          },
        };
      case 'data.path':
        return browsable('data.path', this.dataNote);
      case 'data.eval_path':
        return browsable('data.eval_path');
      case 'lora.init_from':
        return browsable('lora.init_from');
      case 'lora.r':
        return { control: (onInput) => sliderControl({ min: 1, max: 128, step: 1 }, onInput) };
      case 'lora.alpha':
        return { control: (onInput) => sliderControl({ min: 1, max: 256, step: 1 }, onInput) };
      case 'train.gradient_accumulation_steps':
        return { note: this.batchNote };
      default:
        return {};
    }
  }

  private presetButtons(): HTMLElement {
    const buttons = presets.map((preset) =>
      button({
        label: presetTitle(preset.id),
        title: presetHelp(preset.id),
        onClick: () => {
          this.form.edit(presetEdits(preset));
          this.form.flush();
        },
      }),
    );
    return element(
      'div',
      { class: 'presets', role: 'group', 'aria-label': t('form.presets') },
      element('span', { class: 'field-label' }, t('form.presets')),
      ...buttons,
    );
  }

  private effectiveBatch(): string {
    const sequences =
      this.form.number(['train', 'batch_size']) * this.form.number(['train', 'gradient_accumulation_steps']);
    return Number.isFinite(sequences) ? t('form.effectiveBatch', formatNumber(sequences)) : '';
  }
}

function grid(fields: readonly Field[]): HTMLElement {
  return element('div', { class: 'fields' }, ...fields.map((field) => field.root));
}

function dataSummary(data: DataState): (Node | string)[] {
  switch (data.kind) {
    case 'none':
      return [];
    case 'reading':
      return [icon('loading codicon-modifier-spin'), ` ${t('data.reading')}`];
    case 'failed':
      return [icon('error'), ` ${data.message}`];
    case 'ready': {
      const { format, examples, tokens, truncated, skippedCount } = data.look;
      const parts = [format, t('data.examples', formatNumber(examples)), t('data.tokens', formatNumber(tokens))];
      if (truncated > 0) parts.push(t('data.truncated', formatNumber(truncated)));
      if (skippedCount > 0) parts.push(t('data.skipped', formatNumber(skippedCount)));
      return [parts.join(' · ')];
    }
  }
}
