import type { AdapterInfo, GenerateSummary } from '../../src/protocol/backend.js';
import type { PlaygroundSide, Variant } from '../../src/protocol/views/playground.js';
import { button, element, freshId, setText } from '../shared/dom.js';
import { oncePerFrame } from '../shared/frame.js';
import { post } from '../shared/host.js';
import { showChoices } from '../shared/select.js';
import { counted, formatDuration, formatNumber, t } from '../shared/text.js';
import { nameOf, variantName } from './variantName.js';

/** Values of the chooser that are not adapters. */
const theBase = '';
const browsing = '…';

/** One side of the playground: what writes, the text as it arrives, then the speed. */
export class Column {
  readonly root: HTMLElement;
  private readonly chooser = element('select', { id: freshId('variant'), class: 'flat' });
  private readonly strength = element('span', { class: 'muted' });
  private readonly output = element('div', { class: 'stream-text', tabindex: 0, role: 'group' });
  private readonly footer = element('p', { class: 'stream-summary muted' });
  private readonly copy = button({
    kind: 'icon',
    icon: 'copy',
    label: t('playground.copy'),
    onClick: () => {
      post({ type: 'copy', text: this.arrived });
    },
  });
  private arrived = '';
  private chosen = theBase;
  private readonly showSoon = oncePerFrame(() => {
    this.show();
  });

  constructor(
    private readonly side: PlaygroundSide,
    private readonly onChoice: (adapter: string | null) => void,
  ) {
    this.copy.disabled = true;
    this.chooser.setAttribute('aria-label', t(`playground.variant.${side}`));
    this.chooser.addEventListener('change', () => {
      this.choose();
    });
    this.root = element(
      'section',
      { class: 'stream' },
      element('header', { class: 'panel-header' }, this.chooser, this.strength, element('span', { class: 'spacer' }), this.copy),
      this.output,
      this.footer,
    );
  }

  /** `adapters`: the ones to offer, newest first. */
  writesAs(variant: Variant, adapters: readonly AdapterInfo[]): void {
    this.chosen = variant.adapter ?? theBase;
    const offered = adapters.map(({ path, name, rank }) => ({ value: path, label: t('playground.adapterChoice', name, rank) }));
    const others =
      this.chosen === theBase || adapters.some(({ path }) => path === this.chosen)
        ? []
        : [{ value: this.chosen, label: nameOf(this.chosen) }];
    const choices = [
      { value: theBase, label: t('playground.base') },
      ...offered,
      ...others,
      { value: browsing, label: t('playground.browse') },
    ];
    showChoices(this.chooser, choices, this.chosen);
    setText(this.strength, variant.adapter === null || variant.strength === 1 ? '' : `× ${formatNumber(variant.strength)}`);
    const name = variantName(variant, adapters);
    this.output.setAttribute('aria-label', t('playground.outputOf', name));
    this.copy.setAttribute('aria-label', t('playground.copyOf', name));
  }

  begin(): void {
    this.arrived = '';
    this.root.classList.remove('failed');
    this.root.classList.add('streaming');
    this.copy.disabled = true;
    setText(this.footer, t('playground.waiting'));
    setText(this.output, '');
  }

  append(text: string): void {
    this.arrived += text;
    setText(this.footer, t('playground.writing'));
    this.copy.disabled = false;
    this.showSoon();
  }

  finish({ tokens, tokensPerSecond, firstTokenMs, reason, template }: GenerateSummary): void {
    this.end();
    const speed = t('unit.tokensPerSecond', formatNumber(tokensPerSecond, { maximumSignificantDigits: 3 }));
    const latency = t(
      'playground.firstToken',
      firstTokenMs < 1000 ? t('unit.milliseconds', formatNumber(Math.round(firstTokenMs))) : formatDuration(firstTokenMs / 1000),
    );
    const facts = [
      counted('data.tokens', tokens),
      speed,
      latency,
      t(`playground.reason.${reason}`),
      t(`playground.readAs.${template}`),
    ];
    setText(this.footer, facts.join(' · '));
  }

  fail(message: string): void {
    this.end();
    this.root.classList.add('failed');
    setText(this.footer, message);
  }

  /** A newer request has taken over. */
  leave(): void {
    this.end();
    setText(this.footer, t('playground.reason.stopped'));
  }

  private choose(): void {
    const { value } = this.chooser;
    if (value !== browsing) return this.onChoice(value === theBase ? null : value);
    this.chooser.value = this.chosen;
    post({ type: 'browseAdapter', side: this.side });
  }

  /** Once the end is reported, the text must be complete, without waiting for the next frame. */
  private end(): void {
    this.show();
    this.root.classList.remove('streaming');
  }

  private show(): void {
    const atEnd = this.output.scrollTop + this.output.clientHeight >= this.output.scrollHeight - 8;
    setText(this.output, this.arrived);
    if (atEnd) this.output.scrollTop = this.output.scrollHeight;
  }
}
