import { element, freshId } from './dom.js';

interface Tab {
  readonly id: string;
  readonly title: string;
  readonly panel: HTMLElement;
}

/** Tabs that follow the ARIA Authoring Practices: one tab stop, arrow keys between the tabs. The view places the panels. */
export class Tabs {
  readonly list: HTMLElement;
  private readonly buttons: readonly HTMLButtonElement[];
  private pinned: string | undefined;

  constructor(
    private readonly tabs: readonly Tab[],
    private selected: string,
    private readonly onSelect: (id: string) => void,
  ) {
    this.buttons = tabs.map((tab) => this.tabButton(tab));
    this.list = element('div', { class: 'tab-list', role: 'tablist', keydown: this.onKey }, ...this.buttons);
    this.show();
  }

  /** The selected tab, not counting the pinned one. */
  get front(): string {
    const choices = this.tabs.filter(({ id }) => id !== this.pinned);
    return (choices.find(({ id }) => id === this.selected) ?? choices[0]!).id;
  }

  select(id: string): void {
    this.selected = id;
    this.show();
    this.onSelect(id);
  }

  /** Shows one panel next to the others when there is room, so that it needs no tab. */
  pin(id: string | undefined): void {
    this.pinned = id;
    this.show();
  }

  private show(): void {
    const { front } = this;
    this.tabs.forEach(({ id, panel }, index) => {
      const tab = this.buttons[index]!;
      const isPinned = id === this.pinned;
      tab.hidden = isPinned;
      tab.setAttribute('aria-selected', String(id === front));
      tab.tabIndex = id === front ? 0 : -1;
      panel.hidden = id !== front && !isPinned;
      panel.setAttribute('role', isPinned ? 'region' : 'tabpanel');
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
    panel.setAttribute('aria-labelledby', made.id);
    made.setAttribute('aria-controls', panel.id);
    return made;
  }

  private readonly onKey = (event: Event): void => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[(event as KeyboardEvent).key];
    const shown = this.tabs.map((tab, index) => ({ tab, button: this.buttons[index]! })).filter(({ button }) => !button.hidden);
    const current = shown.findIndex(({ button }) => button === document.activeElement);
    if (direction === undefined || current < 0) return;
    const next = shown[(current + direction + shown.length) % shown.length]!;
    this.select(next.tab.id);
    next.button.focus();
  };
}
