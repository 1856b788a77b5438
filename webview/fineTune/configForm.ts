import type { ConfigCheck, ModelInfo } from '../../src/protocol/backend.js';
import { presetEdits, presets } from '../../src/protocol/presets.js';
import { settingSchema } from '../../src/protocol/runConfigSchema.js';
import type { ConfigDocument, ConfigEdit, DataState, FetchState } from '../../src/protocol/views/fineTune.js';
import { button, element, icon, setText } from '../shared/dom.js';
import { modelChoices } from '../shared/select.js';
import { post } from '../shared/host.js';
import { counted, formatNumber, presetHelp, presetTitle, settingTitle, t } from '../shared/text.js';
import { controlFor, selectControl, sliderControl, withBrowse, type Control, type OnInput } from './controls.js';
import { DocumentBanner } from './documentBanner.js';
import { Field, type FieldOptions } from './field.js';
import { FirstModel } from './firstModel.js';
import { FormConfig, type SettingPath } from './formConfig.js';
import { advancedSections, emptyMeaning, mainSections, type FormSection } from './formSections.js';
import { UndoNotice } from './undoNotice.js';

interface FormState {
  readonly document: ConfigDocument;
  readonly check: ConfigCheck | null;
  readonly models: readonly ModelInfo[];
  readonly data: DataState;
  readonly fetching: FetchState;
}

/** What prevents a run from being started, and how to bring it into view. */
interface Trouble {
  readonly reason: string;
  readonly reveal: () => void;
}

/** The configuration as a form. */
export class ConfigForm {
  readonly root: HTMLElement;
  readonly undo = new UndoNotice();
  private readonly fields: Field[] = [];
  private readonly dataNote = element('p', { class: 'field-note' });
  private readonly batchNote = element('p', { class: 'field-note' });
  private readonly banner = new DocumentBanner();
  private readonly firstModel = new FirstModel();
  private readonly others = element('ul', { class: 'other-problems', tabindex: -1 });
  private readonly sampleData = button({
    kind: 'link',
    label: t('form.sampleData'),
    title: t('form.sampleData.help'),
    onClick: () => {
      this.form.flush();
      post({ type: 'useSampleData' });
    },
  });
  private readonly advanced: HTMLDetailsElement;
  private readonly settings = element('fieldset', { class: 'settings' });
  private readonly model: { control: ReturnType<typeof selectControl> | undefined } = { control: undefined };

  constructor(
    private readonly form: FormConfig,
    advancedOpen: boolean,
    onAdvanced: (open: boolean) => void,
  ) {
    const main = mainSections.map((section) => this.section(section, 'h2'));
    this.advanced = element(
      'details',
      { class: 'advanced', open: advancedOpen },
      element('summary', {}, t('form.advanced')),
      ...advancedSections().map((section) => this.section(section, 'h3')),
    );
    this.advanced.addEventListener('toggle', () => {
      onAdvanced(this.advanced.open);
    });
    this.settings.append(
      element('legend', { class: 'visually-hidden' }, t('form.title')),
      this.presetButtons(),
      ...main,
      this.advanced,
    );
    this.root = element(
      'form',
      {
        class: 'config-form',
        // Undoing would discard what has been typed since as well.
        input: () => {
          this.undo.withdraw();
        },
        submit: (event) => {
          event.preventDefault();
        },
      },
      this.banner.root,
      this.firstModel.root,
      this.others,
      this.settings,
    );
  }

  /** The first thing that prevents a run from being started, as the form was last shown; null if there is none. */
  trouble(): Trouble | null {
    if (this.settings.disabled) return { reason: t('form.unreadable'), reveal: () => this.banner.root.scrollIntoView() };
    const field = this.fields.find(({ problem }) => problem !== null);
    if (field?.problem)
      return { reason: t('form.trouble', settingTitle(field.path), field.problem), reveal: () => this.reveal(field) };
    const other = this.others.firstElementChild?.textContent;
    return other ? { reason: other, reveal: () => this.others.focus() } : null;
  }

  /** Replaces many settings at once, with a way back. */
  replace(edits: readonly ConfigEdit[]): void {
    const back = edits.map(({ path }) => ({ path, value: this.form.written(path) }));
    const change = (to: readonly ConfigEdit[]) => {
      this.form.edit(to);
      this.form.flush();
    };
    change(edits);
    this.undo.offer(() => {
      change(back);
    });
  }

  focus(): void {
    this.fields[0]!.focus();
  }

  update({ document, check, models, data, fetching }: FormState): void {
    this.settings.disabled = document.kind !== 'parsed';
    this.banner.update(document);
    const problems = check?.ok === false ? check.problems : [];
    const byPath = new Map(problems.map(({ path, message }) => [path.slice(0, 2).join('.'), message]));
    if (data.kind === 'failed') byPath.set('data.path', data.message);
    this.firstModel.update(models.length > 0 || Boolean(this.form.written(['model'])), fetching);
    this.sampleData.hidden = Boolean(this.form.written(['data', 'path']));
    this.model.control?.setChoices(modelChoices(models));
    for (const field of this.fields) field.update(byPath);
    this.showOthers(problems.filter(({ path }) => !this.hasField(path)).map(({ message }) => message));
    setText(this.batchNote, this.effectiveBatch());
    this.dataNote.replaceChildren(...dataSummary(data));
  }

  private reveal(field: Field): void {
    if (this.advanced.contains(field.root)) this.advanced.open = true;
    field.focus();
  }

  /** A problem of an item, such as lora.target_modules.0, belongs to the field of its list; one of a section, to its fields. */
  private hasField(path: readonly string[]): boolean {
    return this.fields.some((field) => {
      const shared = Math.min(field.path.length, path.length);
      return shared > 0 && path.slice(0, shared).every((key, index) => field.path[index] === key);
    });
  }

  /** Shows problems of settings that the form does not have, such as misspelt ones. */
  private showOthers(messages: readonly string[]): void {
    this.others.replaceChildren(...messages.map((message) => element('li', { class: 'field-error' }, message)));
  }

  private section({ title, paths }: FormSection, heading: 'h2' | 'h3'): HTMLElement {
    const fields = paths.map((path) => new Field(path, this.form, this.fieldOptions(path)));
    this.fields.push(...fields);
    const grid = element('div', { class: 'fields' }, ...fields.map(({ root }) => root));
    return element('section', { class: 'form-section' }, element(heading, {}, t(title)), grid);
  }

  private fieldOptions(path: SettingPath): FieldOptions {
    const flush = () => {
      this.form.flush();
    };
    const browsable = (setting: 'data.path' | 'data.eval_path' | 'lora.init_from', note?: HTMLElement): FieldOptions => ({
      control: (onInput: OnInput): Control =>
        withBrowse(controlFor(settingSchema(path)!, onInput, t(emptyMeaning(path))), setting, flush),
      ...(note ? { note } : {}),
    });
    switch (path.join('.')) {
      case 'model':
        return {
          control: (onInput) => {
            this.model.control = selectControl([], onInput);
            return withBrowse(this.model.control, 'model', flush);
          },
        };
      case 'data.path':
        return browsable('data.path', element('div', { class: 'data-notes' }, this.dataNote, this.sampleData));
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
          this.replace(presetEdits(preset));
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
    const sequences = this.form.number(['train', 'batch_size']) * this.form.number(['train', 'gradient_accumulation_steps']);
    return Number.isFinite(sequences) ? t('form.effectiveBatch', formatNumber(sequences)) : '';
  }
}

function dataSummary(data: DataState): (Node | string)[] {
  switch (data.kind) {
    case 'none':
    case 'cancelled':
    case 'failed':
      return [];
    case 'reading':
      return [icon('loading codicon-modifier-spin'), ` ${t('data.reading')}`];
    case 'ready': {
      const { format, examples, tokens, truncated, skippedCount } = data.overview;
      const parts = [format, counted('data.examples', examples), counted('data.tokens', tokens)];
      if (truncated > 0) parts.push(t('data.truncated', formatNumber(truncated)));
      if (skippedCount > 0) parts.push(t('data.skipped', formatNumber(skippedCount)));
      return [parts.join(' · ')];
    }
  }
}
