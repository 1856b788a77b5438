import { variableSettings } from '../../src/protocol/sweepSettings.js';
import { button, element, freshId, setText } from '../shared/dom.js';
import { counted, settingHelp, settingTitle, t } from '../shared/text.js';
import { isListSetting, type Varied, type Values } from './planState.js';

interface VariedEvents {
  readonly onSetting: (setting: string) => void;
  readonly onValues: (values: string) => void;
  readonly onRemove: () => void;
}

/** One setting to vary: which one, its values as text, and what is wrong with them. */
export class VariedField {
  readonly root: HTMLElement;
  private readonly select = element('select', { 'aria-label': t('sweep.plan.setting') });
  private readonly input = element('input', { type: 'text', spellcheck: 'false', autocomplete: 'off' });
  private readonly remove: HTMLButtonElement;
  private readonly note = element('p', { class: 'varied-note muted', id: freshId('note') });

  constructor(events: VariedEvents) {
    this.select.addEventListener('change', () => {
      events.onSetting(this.select.value);
    });
    this.input.addEventListener('input', () => {
      events.onValues(this.input.value);
    });
    this.input.setAttribute('aria-describedby', this.note.id);
    this.remove = button({ kind: 'icon', icon: 'close', label: t('sweep.plan.remove'), onClick: events.onRemove });
    this.root = element('div', { class: 'varied' }, this.select, this.input, this.remove, this.note);
  }

  /** `others`: settings that have a field of their own. */
  update({ setting, values }: Varied, { values: parsed, problem }: Values, others: readonly string[], canRemove: boolean): void {
    const offered = variableSettings().filter((each) => !others.includes(each));
    if (this.select.dataset['offered'] !== offered.join()) {
      this.select.dataset['offered'] = offered.join();
      this.select.replaceChildren(
        ...offered.map((value) => element('option', { value, title: value }, settingTitle(value.split('.')))),
      );
    }
    this.root.dataset['setting'] = setting;
    this.select.value = setting;
    this.select.title = settingHelp(setting.split('.'));
    this.input.setAttribute('aria-label', t('sweep.plan.valuesOf', settingTitle(setting.split('.'))));
    this.input.placeholder = t(isListSetting(setting) ? 'sweep.plan.lists' : 'sweep.plan.values');
    if (this.input.value !== values) this.input.value = values;
    this.input.setAttribute('aria-invalid', String(problem !== null));
    this.root.classList.toggle('invalid', problem !== null);
    this.remove.disabled = !canRemove;
    const count = counted('sweep.plan.count', parsed.length);
    setText(this.note, problem ?? (isListSetting(setting) ? `${count} · ${t('sweep.plan.lists')}` : count));
  }

  focus(): void {
    this.input.focus();
  }
}
