import type { Variant } from '../../src/protocol/views/playground.js';
import { element, freshId, setText } from '../shared/dom.js';
import { formatNumber, t } from '../shared/text.js';

/** How strongly an adapter is applied in a column. */
export class StrengthField {
  readonly root: HTMLElement;
  private readonly slider = element('input', { type: 'range', id: freshId('strength'), min: 0, max: 2, step: 0.05 });
  private readonly title = element('label', { class: 'field-label', for: this.slider.id });
  private readonly value = element('output', { class: 'number-output', for: this.slider.id });

  constructor(onChange: (strength: number) => void) {
    this.slider.addEventListener('input', () => {
      onChange(this.slider.valueAsNumber);
    });
    this.root = element(
      'div',
      { class: 'field', title: t('playground.strength.help') },
      this.title,
      element('div', { class: 'slider-and-number' }, this.slider, this.value),
    );
  }

  /** The base model has no strength. */
  show(variant: Variant | null, name: string): void {
    this.root.hidden = variant === null || variant.adapter === null;
    if (!variant) return;
    setText(this.title, t('playground.strength', name));
    if (this.slider.valueAsNumber !== variant.strength) this.slider.value = String(variant.strength);
    setText(this.value, formatNumber(variant.strength, { minimumFractionDigits: 2 }));
  }
}
