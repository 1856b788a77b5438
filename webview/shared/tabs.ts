import { element, freshId } from './dom.js';

interface Tab {
  readonly id: string;
  readonly title: string;
  readonly panel: HTMLElement;
}

/** Tabs by the pattern of the ARIA Authoring Practices: one tab stop, arrow keys between the tabs. */
export class Tabs {
  readonly root: HTMLElement;
  private readonly buttons: readonly HTMLButtonElement[];

  constructor(
    private readonly tabs: readonly Tab[],
    selected: string,
    private readonly onSelect: (id: string) => void,
  ) {
    this.buttons = tabs.map((tab) => this.tabButton(tab));
    const list = element('div', { class: 'tab-list', role: 'tablist', keydown: this.onKey }, ...this.buttons);
    this.root = element('div', { class: 'tabs' }, list, ...tabs.map(({ panel }) => panel));
    this.show(tabs.some(({ id }) => id === selected) ? selected : tabs[0]!.id);
  }

  select(id: string): void {
    this.show(id);
    this.onSelect(id);
  }

  private show(id: string): void {
    this.tabs.forEach((tab, index) => {
      const selected = tab.id === id;
      tab.panel.hidden = !selected;
      this.buttons[index]!.setAttribute('aria-selected', String(selected));
      this.buttons[index]!.tabIndex = selected ? 0 : -1;
    });
  }

  private tabButton({ id, title, panel }: Tab): HTMLButtonElement {
    const made = element(
      'button',
      {
        type: 'button',
        role: 'tab',
        class: 'tab',
        id: freshId('tab'),
        click: () => {
          this.select(id);
        },
      },
      title,
    );
    panel.id = freshId('panel');
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', made.id);
    made.setAttribute('aria-controls', panel.id);
    return made;
  }

  private readonly onKey = (event: Event): void => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[(event as KeyboardEvent).key];
    const current = this.buttons.findIndex((made) => made === document.activeElement);
    if (direction === undefined || current < 0) return;
    const next = (current + direction + this.tabs.length) % this.tabs.length;
    this.select(this.tabs[next]!.id);
    this.buttons[next]!.focus();
  };
}
