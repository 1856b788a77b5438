import type { GenerateSummary } from '../../src/protocol/backend.js';
import { button, element, setText } from '../shared/dom.js';
import { oncePerFrame } from '../shared/frame.js';
import { post } from '../shared/host.js';
import { formatDuration, formatNumber, t } from '../shared/text.js';

/** One side of the playground: text as it comes, then how fast it came. */
export class Stream {
  readonly root: HTMLElement;
  private readonly title = element('h2');
  private readonly output = element('div', { class: 'stream-text', tabindex: 0, role: 'group' });
  private readonly footer = element('p', { class: 'stream-summary muted' });
  private readonly copy: HTMLButtonElement;
  private arrived = '';
  private readonly showSoon = oncePerFrame(() => {
    this.show();
  });

  constructor() {
    this.copy = button({
      kind: 'icon',
      icon: 'copy',
      label: t('playground.copy'),
      onClick: () => {
        post({ type: 'copy', text: this.arrived });
      },
    });
    this.copy.disabled = true;
    this.root = element(
      'section',
      { class: 'stream' },
      element('header', { class: 'panel-header' }, this.title, element('span', { class: 'spacer' }), this.copy),
      this.output,
      this.footer,
    );
  }

  name(title: string): void {
    setText(this.title, title);
    this.output.setAttribute('aria-label', t('playground.outputOf', title));
    this.copy.setAttribute('aria-label', t('playground.copyOf', title));
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

  finish({ tokens, tokensPerSecond, firstTokenMs, reason }: GenerateSummary): void {
    this.end();
    const speed = t('unit.tokensPerSecond', formatNumber(tokensPerSecond, { maximumSignificantDigits: 3 }));
    const latency = t(
      'playground.firstToken',
      firstTokenMs < 1000
        ? t('unit.milliseconds', formatNumber(Math.round(firstTokenMs)))
        : formatDuration(firstTokenMs / 1000),
    );
    setText(
      this.footer,
      [t('data.tokens', formatNumber(tokens)), speed, latency, t(`playground.reason.${reason}`)].join(' · '),
    );
  }

  fail(message: string): void {
    this.end();
    this.root.classList.add('failed');
    setText(this.footer, message);
  }

  /** What is said to have ended is there as a whole, not only in the next frame. */
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
