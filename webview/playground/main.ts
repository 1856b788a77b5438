/** @file The playground: one prompt, or those of a file, answered side by side by any two of the base model and its adapters. */
import { adaptersFor } from '../../src/protocol/baseOf.js';
import {
  playgroundSides,
  type Batch,
  type PlaygroundAnswer,
  type PlaygroundRequest,
  type PlaygroundSide,
  type PlaygroundState,
  type Prefill,
} from '../../src/protocol/views/playground.js';
import { announce } from '../shared/announce.js';
import { button, element, freshId } from '../shared/dom.js';
import { post, rememberedViewState, rememberViewState, startView, type Receiver } from '../shared/host.js';
import { modelChoices, showChoices } from '../shared/select.js';
import { t } from '../shared/text.js';
import { BatchTable } from './batchTable.js';
import { Column } from './column.js';
import { History } from './history.js';
import {
  filledIn,
  initialViewState,
  isViewState,
  opened,
  settled,
  withVariant,
  type Choices,
  type ViewState,
} from './viewState.js';
import { samplingFields, templates, type PlaygroundSettings, type PlaygroundTemplate } from './settingsFields.js';
import { StrengthField } from './strengthField.js';
import { variantName } from './variantName.js';

class Playground {
  private viewState: ViewState;
  private choices: Choices;
  private readonly running = new Set<PlaygroundSide>();
  private readonly columns = { left: this.column('left'), right: this.column('right') } as const;
  private readonly strengths = { left: this.strength('left'), right: this.strength('right') } as const;
  private readonly history = new History((prompt) => {
    this.takeUpPrompt(prompt);
  });
  private readonly answers = element('div', { class: 'streams' });
  private readonly alone = element('p', { class: 'alone muted' }, t('playground.alone'));
  private table: BatchTable | undefined;
  private readonly modelSelect = element('select', {
    id: freshId('model'),
    class: 'flat',
    change: () => {
      this.remember({ model: this.modelSelect.value });
    },
  });
  private readonly templateSelect = element('select', {
    id: freshId('template'),
    class: 'flat',
    title: t('playground.template.help'),
    change: () => {
      this.changeSettings({ template: this.templateSelect.value as PlaygroundTemplate });
    },
  });
  private readonly prompt = element('textarea', {
    id: freshId('prompt'),
    rows: 4,
    spellcheck: 'false',
    placeholder: t('playground.prompt.placeholder'),
    'aria-label': t('playground.prompt'),
    input: () => {
      this.remember({ prompt: this.prompt.value });
    },
    keydown: (event) => {
      this.runByKey(event as KeyboardEvent);
    },
  });
  private readonly runButton = button({
    kind: 'primary',
    icon: 'play',
    label: t('playground.run'),
    title: t('playground.run.help'),
    onClick: () => {
      this.run();
    },
  });
  private readonly stopButton = button({
    icon: 'debug-stop',
    label: t('playground.stop'),
    onClick: () => {
      this.stop();
    },
  });
  private readonly fileButton = button({
    icon: 'list-unordered',
    label: t('playground.file'),
    title: t('playground.file.help'),
    onClick: () => {
      post({ type: 'generateFile', request: this.request(this.viewState.requestId + 1) });
    },
  });

  constructor({ opening, models, adapters, prefill, history, answers, batch }: PlaygroundState) {
    this.choices = { models, adapters };
    this.viewState = settled(opened(rememberedViewState(isViewState, initialViewState), opening), this.choices);
    this.prompt.value = this.viewState.prompt;
    document.body.append(this.page());
    this.history.show(history);
    for (const answer of answers) this.takeUp(answer);
    this.showBatch(batch);
    if (prefill) this.fillIn(prefill);
    this.update();
  }

  readonly receive: Receiver<'playground'> = (message) => {
    switch (message.type) {
      case 'choices':
        this.choices = { models: message.models, adapters: message.adapters };
        return this.remember({});
      case 'prefill':
        return this.fillIn(message.prefill);
      case 'adapterChosen':
        return this.replace(withVariant(this.viewState, message.side, { adapter: message.adapter, strength: 1 }));
      case 'history':
        return this.history.show(message.history);
      case 'token':
        if (message.requestId === this.viewState.requestId) this.columns[message.side].append(message.text);
        return;
      case 'generated':
        if (message.requestId !== this.viewState.requestId) return;
        this.columns[message.side].finish(message.summary);
        return this.ended(message.side);
      case 'generateFailed':
        if (message.requestId !== this.viewState.requestId) return;
        this.columns[message.side].fail(message.message);
        return this.ended(message.side);
      case 'batch':
        return this.showBatch(message.batch);
      case 'batchAnswer':
        if (message.requestId === this.table?.batch.requestId) this.table.answer(message.row, message.side, message.answer);
        return;
      case 'batchEnded':
        if (message.requestId !== this.table?.batch.requestId) return;
        this.table.end();
        return announce(t('playground.done'));
      default:
        return;
    }
  };

  private column(side: PlaygroundSide): Column {
    return new Column(side, (adapter) => {
      this.replace(withVariant(this.viewState, side, { adapter, strength: 1 }));
    });
  }

  private strength(side: PlaygroundSide): StrengthField {
    return new StrengthField((strength) => {
      this.replace(withVariant(this.viewState, side, { strength }));
    });
  }

  /** Restores what arrived of an answer while this page was hidden. */
  private takeUp({ requestId, side, text, end }: PlaygroundAnswer): void {
    if (requestId !== this.viewState.requestId) return;
    const column = this.columns[side];
    column.begin();
    if (text) column.append(text);
    if (end?.kind === 'generated') column.finish(end.summary);
    else if (end?.kind === 'failed') column.fail(end.message);
    else this.running.add(side);
  }

  private fillIn(prefill: Prefill): void {
    this.replace(filledIn(this.viewState, prefill));
    this.prompt.value = this.viewState.prompt;
    if (prefill.run && !this.runButton.disabled) this.run();
  }

  private takeUpPrompt(prompt: string): void {
    this.prompt.value = prompt;
    this.remember({ prompt });
    this.prompt.focus();
  }

  private runByKey(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || this.runButton.disabled) return;
    event.preventDefault();
    this.run();
  }

  private run(): void {
    this.remember({ requestId: this.viewState.requestId + 1 });
    this.showBatch(null);
    for (const side of this.shownSides()) {
      this.running.add(side);
      this.columns[side].begin();
    }
    post({ type: 'generate', request: this.request(this.viewState.requestId), prompt: this.viewState.prompt });
    this.update();
  }

  private request(requestId: number): PlaygroundRequest {
    const { model, left, right, settings } = this.viewState;
    const { template, maxNewTokens, ...sampling } = settings;
    return { requestId, model, left, right, template, sampling, maxNewTokens };
  }

  private stop(): void {
    post({ type: 'stopGenerating', requestId: this.viewState.requestId });
  }

  private ended(side: PlaygroundSide): void {
    this.running.delete(side);
    if (this.running.size === 0) announce(t('playground.done'));
    this.update();
  }

  /** Shows a table in place of the columns, which ends what they were writing. */
  private showBatch(batch: Batch | null): void {
    this.table = batch ? new BatchTable(batch, this.choices.adapters) : undefined;
    if (batch) {
      for (const side of this.running) this.columns[side].leave();
      this.running.clear();
      this.remember({ requestId: Math.max(this.viewState.requestId, batch.requestId) });
    }
    this.answers.replaceChildren(
      ...(this.table ? [this.table.root] : [this.columns.left.root, this.columns.right.root, this.alone]),
    );
    this.update();
  }

  private shownSides(): readonly PlaygroundSide[] {
    return playgroundSides.filter((side) => this.viewState[side] !== null);
  }

  private remember(change: Partial<ViewState>): void {
    this.replace({ ...this.viewState, ...change });
  }

  private replace(viewState: ViewState): void {
    this.viewState = settled(viewState, this.choices);
    rememberViewState(this.viewState);
    this.update();
  }

  private changeSettings(change: Partial<PlaygroundSettings>): void {
    this.remember({ settings: { ...this.viewState.settings, ...change } });
  }

  private update(): void {
    const { model, right, settings, prompt } = this.viewState;
    const { models, adapters } = this.choices;
    showChoices(this.modelSelect, modelChoices(models), model);
    showChoices(
      this.templateSelect,
      templates.map((template) => ({ value: template, label: t(`playground.template.${template}`) })),
      settings.template,
    );
    const offered = adaptersFor(model, adapters, models);
    for (const side of playgroundSides) {
      const variant = this.viewState[side];
      this.strengths[side].show(variant, variant ? variantName({ ...variant, strength: 1 }, adapters) : '');
      if (variant) this.columns[side].writesAs(variant, offered);
    }
    this.columns.right.root.hidden = right === null;
    this.alone.hidden = right !== null;
    this.runButton.disabled = !model || prompt.trim() === '';
    this.fileButton.disabled = !model;
    this.runButton.hidden = this.running.size > 0;
    this.stopButton.hidden = this.running.size === 0;
  }

  private page(): HTMLElement {
    const settings = element(
      'details',
      { class: 'advanced' },
      element('summary', {}, t('playground.settings')),
      element('div', { class: 'fields strengths' }, this.strengths.left.root, this.strengths.right.root),
      samplingFields(this.viewState.settings, (change) => {
        this.changeSettings(change);
      }),
    );
    return element(
      'main',
      { class: 'playground', 'aria-label': t('playground.title') },
      labelled(t('playground.model'), this.modelSelect),
      this.prompt,
      element(
        'div',
        { class: 'toolbar' },
        this.runButton,
        this.stopButton,
        labelled(t('playground.template'), this.templateSelect),
        element('span', { class: 'spacer' }),
        this.fileButton,
      ),
      element('div', { class: 'folds' }, settings, this.history.root),
      this.answers,
    );
  }
}

function labelled(title: string, control: HTMLElement): HTMLElement {
  return element('div', { class: 'inline-control' }, element('label', { class: 'muted', for: control.id }, title), control);
}

startView('playground', (state) => new Playground(state).receive);
