import { button, element, icon, setText } from '../shared/dom.js';
import type { RunSummary } from '../../src/protocol/backend.js';
import { aheadInWords } from '../runs/queueText.js';
import { t } from '../shared/text.js';

/** Why a run cannot be started now. */
export interface Refusal {
  /** One sentence that names the setting. */
  readonly reason: string;
  /** Shows the user what is wrong. */
  readonly reveal: () => void;
}

/**
 * Always in sight: the estimate for the run, the button that starts it, and the reason when it cannot be started, or for what it would
 * wait.
 */
export class StartBar {
  readonly root: HTMLElement;
  private readonly failure = element('p', { class: 'banner error', role: 'alert', hidden: true });
  private readonly reason = button({ kind: 'link', label: '', onClick: () => this.refusal?.reveal() });
  private readonly note = element('p', { class: 'start-note', role: 'status' });
  private readonly start: HTMLButtonElement;
  private refusal: Refusal | null = null;

  /** `shown`: other elements that are always in sight. */
  constructor(shown: readonly HTMLElement[], onStart: () => void, onSweep: () => void) {
    this.start = button({ kind: 'primary', icon: 'play', label: t('panel.start'), onClick: onStart });
    this.note.id = 'start-note';
    this.start.setAttribute('aria-describedby', this.note.id);
    const sweep = button({ icon: 'graph-scatter', label: t('panel.sweep'), title: t('panel.sweep.help'), onClick: onSweep });
    const buttons = element('div', { class: 'start-buttons' }, this.start, sweep);
    this.root = element('footer', { class: 'start-bar' }, ...shown, this.failure, this.note, buttons);
  }

  /** `ahead`: what is trained before a run that is started now. */
  update(refusal: Refusal | null, ahead: readonly RunSummary[], starting: boolean): void {
    this.refusal = refusal;
    this.start.disabled = starting || refusal !== null;
    const waits = ahead.length > 0;
    setText(this.start.lastElementChild!, t(waits ? 'panel.enqueue' : 'panel.start'));
    this.start.firstElementChild!.className = `codicon codicon-${waits ? 'list-ordered' : 'play'}`;
    this.note.hidden = refusal === null && !waits;
    this.note.classList.toggle('refused', refusal !== null);
    if (!refusal) return setText(this.note, waits ? aheadInWords(ahead) : '');
    setText(this.reason.lastElementChild!, refusal.reason);
    // Keep the same button, so that it keeps the focus.
    if (this.reason.parentElement !== this.note) this.note.replaceChildren(icon('error'), this.reason);
  }

  /** Shows the host's message about the last attempt; null clears it. */
  fail(message: string | null): void {
    setText(this.failure, message ?? '');
    this.failure.hidden = message === null;
  }
}
