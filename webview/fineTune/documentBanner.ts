import type { ConfigDocument } from '../../src/protocol/views/fineTune.js';
import { button, element, setText } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { t } from '../shared/text.js';

/** Shown above a form that waits: why its text cannot be read, and what can be done. */
export class DocumentBanner {
  private readonly message = element('p', {});
  private readonly reset = button({ label: t('form.reset'), onClick: () => post({ type: 'resetDocument' }) });
  private readonly openJson = button({ label: t('form.openBroken'), onClick: () => post({ type: 'openJson' }) });
  readonly root = element(
    'div',
    { class: 'banner error', role: 'alert', hidden: true },
    this.message,
    element('div', { class: 'banner-buttons' }, this.openJson, this.reset),
  );

  update(document: ConfigDocument): void {
    this.root.hidden = document.kind === 'parsed';
    if (document.kind === 'parsed') return;
    setText(this.message, t(`form.${document.kind}`, document.message));
    this.openJson.hidden = document.kind === 'missing';
  }
}
