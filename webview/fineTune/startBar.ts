import { button, element, icon, setText } from '../shared/dom.js';
import { t } from '../shared/text.js';

/** Why no run can be started now. */
export interface Refusal {
  /** One sentence that names the setting. */
  readonly reason: string;
  /** Brings what is wrong before the user's eyes; nothing where there is nothing to mend. */
  readonly reveal?: () => void;
}

/** Always in sight: what the run comes to, the button that starts it, and why it cannot be started while it cannot. */
export class StartBar {
  readonly root: HTMLElement;
  private readonly failure = element('p', { class: 'banner error', role: 'alert', hidden: true });
  private readonly reason = button({ kind: 'link', label: '', onClick: () => this.refusal?.reveal?.() });
  private readonly note = element('p', { class: 'start-note', role: 'status' });
  private readonly start: HTMLButtonElement;
  private refusal: Refusal | null = null;

  /** `shown`: what else is always in sight. */
  constructor(shown: readonly HTMLElement[], onStart: () => void) {
    this.start = button({ kind: 'primary', icon: 'play', label: t('panel.start'), onClick: onStart });
    this.note.id = 'start-note';
    this.start.setAttribute('aria-describedby', this.note.id);
    this.root = element('footer', { class: 'start-bar' }, ...shown, this.failure, this.note, this.start);
  }

  update(refusal: Refusal | null, starting: boolean): void {
    this.refusal = refusal;
    this.start.disabled = starting || refusal !== null;
    this.note.hidden = refusal === null;
    this.note.classList.toggle('refused', refusal?.reveal !== undefined);
    if (!refusal) return;
    if (!refusal.reveal) return this.note.replaceChildren(refusal.reason);
    setText(this.reason.lastElementChild!, refusal.reason);
    // The button stays the same one, so that the focus stays on it.
    if (this.reason.parentElement !== this.note) this.note.replaceChildren(icon('error'), this.reason);
  }

  /** What the host said about the last attempt; null forgets it. */
  fail(message: string | null): void {
    setText(this.failure, message ?? '');
    this.failure.hidden = message === null;
  }
}
