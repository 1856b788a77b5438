/** @file The playground: one prompt, answered by the base model and by the adapter, side by side. */
import type { AdapterInfo, ModelInfo } from '../../src/protocol/backend.js';
import { baseOf } from '../../src/protocol/baseOf.js';
import { number, object, string, type Shape } from '../../src/protocol/shape.js';
import type { PlaygroundAnswer, PlaygroundSide, PlaygroundState, Prefill } from '../../src/protocol/webview.js';
import { announce } from '../shared/announce.js';
import { button, element, freshId, setText } from '../shared/dom.js';
import { post, rememberedLook, rememberLook, startView, type Receiver } from '../shared/host.js';
import { modelChoices, showChoices } from '../shared/select.js';
import { formatNumber, t } from '../shared/text.js';
import { firstSettings, samplingFields, settingsShape, type PlaygroundSettings } from './samplingFields.js';
import { Stream } from './stream.js';

interface Look {
  readonly model: string;
  /** Empty: the base model alone. */
  readonly adapter: string;
  readonly strength: number;
  readonly prompt: string;
  readonly settings: PlaygroundSettings;
  /** Ids of requests count on after a reload, so that late answers to earlier ones are told apart. */
  readonly requestId: number;
}

const lookShape: Shape<Look> = object({
  model: string,
  adapter: string,
  strength: number,
  prompt: string,
  settings: settingsShape,
  requestId: number,
});
const firstLook: Look = { model: '', adapter: '', strength: 1, prompt: '', settings: firstSettings, requestId: 0 };

class Playground {
  private look = rememberedLook(lookShape, firstLook);
  private models: readonly ModelInfo[];
  private adapters: readonly AdapterInfo[];
  private readonly running = new Set<PlaygroundSide>();
  private readonly streams = { base: new Stream(), adapter: new Stream() } as const;
  private readonly modelSelect = element('select', {
    id: freshId('model'),
    change: () => {
      this.remember({ model: this.modelSelect.value });
    },
  });
  private readonly adapterSelect = element('select', {
    id: freshId('adapter'),
    change: () => {
      this.chooseAdapter(this.adapterSelect.value);
    },
  });
  private readonly strength = element('input', {
    type: 'range',
    id: freshId('strength'),
    min: 0,
    max: 2,
    step: 0.05,
    value: this.look.strength,
  });
  private readonly strengthValue = element('output', { class: 'number-output', for: this.strength.id });
  private readonly prompt = element('textarea', {
    id: freshId('prompt'),
    rows: 5,
    spellcheck: 'false',
    placeholder: t('playground.prompt.placeholder'),
  });
  private readonly chat = element('input', { type: 'checkbox', checked: this.look.settings.chat });
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

  constructor(state: PlaygroundState) {
    this.models = state.models;
    this.adapters = state.adapters;
    this.prompt.value = this.look.prompt;
    this.listen();
    document.body.append(this.page());
    for (const answer of state.answers) this.takeUp(answer);
    if (state.prefill) this.fillIn(state.prefill);
    this.update();
  }

  readonly receive: Receiver = (message) => {
    switch (message.type) {
      case 'choices':
        this.models = message.models;
        this.adapters = message.adapters;
        return this.update();
      case 'prefill':
        return this.fillIn(message.prefill);
      case 'token':
        if (message.requestId === this.look.requestId) this.streams[message.side].append(message.text);
        return;
      case 'generated':
        if (message.requestId !== this.look.requestId) return;
        this.streams[message.side].finish(message.summary);
        return this.ended(message.side);
      case 'generateFailed':
        if (message.requestId !== this.look.requestId) return;
        this.streams[message.side].fail(message.message);
        return this.ended(message.side);
      default:
        return;
    }
  };

  /** What came while this page was away. */
  private takeUp({ requestId, side, text, end }: PlaygroundAnswer): void {
    if (requestId !== this.look.requestId) return;
    const stream = this.streams[side];
    stream.begin();
    if (text) stream.append(text);
    if (end?.kind === 'generated') stream.finish(end.summary);
    else if (end?.kind === 'failed') stream.fail(end.message);
    else this.running.add(side);
  }

  private listen(): void {
    this.strength.addEventListener('input', () => {
      this.remember({ strength: this.strength.valueAsNumber });
    });
    this.prompt.addEventListener('input', () => {
      this.remember({ prompt: this.prompt.value });
    });
    this.chat.addEventListener('change', () => {
      this.changeSettings({ chat: this.chat.checked });
    });
    this.prompt.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || this.runButton.disabled) return;
      event.preventDefault();
      this.run();
    });
  }

  private fillIn({ model, adapter, prompt, run }: Prefill): void {
    if (prompt !== null) this.prompt.value = prompt;
    this.remember({ prompt: this.prompt.value, ...(model === null ? {} : { model }) });
    if (adapter !== null) this.chooseAdapter(adapter);
    if (model !== null) this.remember({ model });
    if (run && !this.runButton.disabled) this.run();
  }

  /** With an adapter comes the model it was trained on, where it is here. */
  private chooseAdapter(path: string): void {
    const adapter = this.adapters.find((known) => known.path === path);
    const base = adapter && baseOf(adapter, this.models);
    this.remember({ adapter: path, ...(base ? { model: base.path } : {}) });
  }

  private run(): void {
    this.stop();
    const { chat, maxNewTokens, ...sampling } = this.look.settings;
    const { model, adapter, strength: adapterStrength, prompt } = this.look;
    this.remember({ requestId: this.look.requestId + 1 });
    const { requestId } = this.look;
    for (const side of this.shownSides()) {
      this.running.add(side);
      this.streams[side].begin();
    }
    post({
      type: 'generate',
      request: { requestId, model, adapter: adapter || null, adapterStrength, prompt, chat, sampling, maxNewTokens },
    });
    this.update();
  }

  private stop(): void {
    if (this.running.size > 0) post({ type: 'stopGenerating', requestId: this.look.requestId });
  }

  private ended(side: PlaygroundSide): void {
    this.running.delete(side);
    if (this.running.size === 0) announce(t('playground.done'));
    this.update();
  }

  private shownSides(): readonly PlaygroundSide[] {
    return this.look.adapter ? ['base', 'adapter'] : ['base'];
  }

  private remember(change: Partial<Look>): void {
    this.look = { ...this.look, ...change };
    rememberLook(this.look);
    this.update();
  }

  private changeSettings(change: Partial<PlaygroundSettings>): void {
    this.remember({ settings: { ...this.look.settings, ...change } });
  }

  private update(): void {
    if (!this.look.model && this.models[0]) this.look = { ...this.look, model: this.models[0].path };
    const { model, adapter, strength } = this.look;
    showChoices(this.modelSelect, modelChoices(this.models), model);
    const adapters = this.adapters.map(({ path, name, rank }) => ({
      value: path,
      label: t('playground.adapterChoice', name, rank),
    }));
    showChoices(this.adapterSelect, [{ value: '', label: t('playground.noAdapter') }, ...adapters], adapter);
    this.strength.disabled = !adapter;
    const shownStrength = formatNumber(strength, { minimumFractionDigits: 2 });
    setText(this.strengthValue, shownStrength);
    this.streams.base.name(t('playground.base'));
    const adapterName = this.adapters.find(({ path }) => path === adapter)?.name ?? adapter;
    this.streams.adapter.name(t('playground.adapterTitle', adapterName, shownStrength));
    this.streams.adapter.root.hidden = !adapter;
    this.runButton.disabled = !model || this.look.prompt.trim() === '';
    this.stopButton.disabled = this.running.size === 0;
  }

  private page(): HTMLElement {
    const controls = element(
      'div',
      { class: 'playground-choices' },
      labelled(t('playground.model'), this.modelSelect),
      labelled(
        t('playground.adapter'),
        element('div', { class: 'with-browse' }, this.adapterSelect, this.browseAdapter()),
      ),
      labelled(
        t('playground.strength'),
        element('div', { class: 'slider-and-number' }, this.strength, this.strengthValue),
      ),
    );
    const sampling = element(
      'details',
      { class: 'advanced' },
      element('summary', {}, t('playground.sampling')),
      samplingFields(this.look.settings, (change) => {
        this.changeSettings(change);
      }),
    );
    const chat = element(
      'label',
      { class: 'inline-control', title: t('playground.chat.help') },
      this.chat,
      element('span', {}, t('playground.chat')),
    );
    const promptLabel = element('label', { class: 'field-label', for: this.prompt.id }, t('playground.prompt'));
    return element(
      'main',
      { class: 'playground', 'aria-label': t('playground.title') },
      controls,
      element('div', { class: 'prompt' }, promptLabel, this.prompt),
      element('div', { class: 'toolbar' }, this.runButton, this.stopButton, chat),
      sampling,
      element('div', { class: 'streams' }, this.streams.base.root, this.streams.adapter.root),
    );
  }

  private browseAdapter(): HTMLButtonElement {
    return button({
      kind: 'icon',
      icon: 'folder-opened',
      label: t('form.browse', t('playground.adapter')),
      onClick: () => {
        post({ type: 'browseAdapter' });
      },
    });
  }
}

function labelled(title: string, control: HTMLElement): HTMLElement {
  const target = control.id ? control : control.querySelector('[id]')!;
  return element('div', { class: 'field' }, element('label', { class: 'field-label', for: target.id }, title), control);
}

startView('playground', (state) => new Playground(state).receive);
