import { button, element } from '../shared/dom.js';
import { t } from '../shared/text.js';

/** After many settings were replaced at once: offers the way back, until something else is done. */
export class UndoNotice {
  private undo: () => void = () => undefined;
  readonly root = element(
    'p',
    { class: 'undo-notice', role: 'status', hidden: true },
    element('span', {}, t('form.replaced')),
    ' ',
    button({
      kind: 'link',
      label: t('form.undo'),
      onClick: () => {
        this.root.hidden = true;
        this.undo();
      },
    }),
  );

  offer(undo: () => void): void {
    this.undo = undo;
    this.root.hidden = false;
  }

  withdraw(): void {
    this.root.hidden = true;
  }
}
