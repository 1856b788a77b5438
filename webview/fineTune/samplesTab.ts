import type { RunSummary } from '../../src/protocol/backend.js';
import type { Sample } from '../../src/protocol/run.js';
import type { RunConfig } from '../../src/protocol/runConfig.js';
import { isOver } from '../../src/protocol/runs.js';
import { answerAt, baseAnswer, sampledPrompts, sampledSteps, type SampledPrompt } from '../runs/sampledPrompts.js';
import { element, freshId, setText } from '../shared/dom.js';
import { formatNumber, t } from '../shared/text.js';

/** Held-out prompts and their answers, base next to adapter, with the adapter as it was at any evaluation. */
export class SamplesTab {
  readonly root = element('div', { class: 'samples-tab' });
  private shown: readonly Sample[] | undefined;
  private steps: readonly number[] = [];
  /** Null means the newest, including newer ones that arrive later. */
  private chosen: number | null = null;
  private readonly hint = element('div', { class: 'empty-state' }, element('p', {}));
  private readonly slider = element('input', {
    type: 'range',
    id: freshId('step'),
    min: 0,
    step: 1,
    input: () => {
      const step = this.steps[this.slider.valueAsNumber] ?? null;
      this.chosen = step === this.steps.at(-1) ? null : step;
      this.drawStep();
    },
  });
  private readonly stepText = element('output', { for: this.slider.id });
  private readonly bar = element(
    'div',
    { class: 'samples-bar' },
    element('label', { for: this.slider.id }, t('samples.step')),
    this.slider,
    this.stepText,
  );
  private readonly list = element('div', { class: 'samples-list' });
  private cards: readonly Card[] = [];

  constructor() {
    this.root.append(this.hint, this.bar, this.list);
  }

  /** `config` is undefined until it has arrived. */
  update(run: RunSummary | undefined, samples: readonly Sample[], config: RunConfig | undefined): void {
    this.hint.hidden = samples.length > 0;
    setText(this.hint.firstElementChild!, t(reasonForNone(run, config)));
    this.bar.hidden = this.list.hidden = samples.length === 0;
    if (samples === this.shown) return;
    this.shown = samples;
    this.steps = sampledSteps(samples);
    this.cards = sampledPrompts(samples).map((prompt) => new Card(prompt));
    this.list.replaceChildren(...this.cards.map(({ root }) => root));
    this.drawStep();
  }

  private drawStep(): void {
    const newest = this.steps.at(-1);
    if (this.chosen !== null && !this.steps.includes(this.chosen)) this.chosen = null;
    const step = this.chosen ?? newest;
    this.bar.hidden = step === undefined;
    if (step !== undefined) {
      this.slider.max = String(this.steps.length - 1);
      this.slider.value = String(this.steps.indexOf(step));
      this.slider.disabled = this.steps.length < 2;
      this.slider.setAttribute('aria-valuetext', t('samples.afterStep', formatNumber(step)));
      setText(this.stepText, t('samples.stepOf', formatNumber(step), formatNumber(newest!)));
    }
    for (const card of this.cards) card.draw(step);
  }
}

/** One prompt with its answers. */
class Card {
  private readonly adapterTitle = element('h3', {});
  private readonly adapterText = answerText();
  readonly root: HTMLElement;

  constructor(private readonly prompt: SampledPrompt) {
    const base = answerText();
    show(base, baseAnswer(prompt)?.text);
    const expected = answerText();
    show(expected, prompt.expected);
    this.root = element(
      'article',
      { class: 'sampled' },
      element('div', { class: 'sampled-prompt' }, prompt.prompt),
      element(
        'div',
        { class: 'sampled-answers' },
        element('section', {}, element('h3', {}, t('samples.base')), base),
        element('section', { class: 'sampled-adapter' }, this.adapterTitle, this.adapterText),
        element('section', { class: 'sampled-expected' }, element('h3', {}, t('samples.expected')), expected),
      ),
    );
  }

  /** Undefined if there is no adapter to answer yet. */
  draw(step: number | undefined): void {
    const answer = step === undefined ? undefined : answerAt(this.prompt, step);
    setText(this.adapterTitle, answer ? t('samples.afterStep', formatNumber(answer.step)) : t('samples.adapter'));
    show(this.adapterText, answer?.text);
  }
}

function answerText(): HTMLElement {
  return element('div', { class: 'sampled-text' });
}

/** Undefined if it is not written yet. */
function show(target: HTMLElement, text: string | undefined): void {
  const trimmed = text?.trim();
  target.classList.toggle('muted', !trimmed);
  setText(target, trimmed === undefined ? t('samples.notYet') : trimmed || t('samples.nothing'));
}

function reasonForNone(run: RunSummary | undefined, config: RunConfig | undefined) {
  if (!run) return 'samples.noRun';
  if (config?.train.sample_prompts === 0) return 'samples.off';
  return isOver(run.state.status) ? 'samples.none' : 'samples.soon';
}
