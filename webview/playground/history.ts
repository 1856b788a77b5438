import { button, element, setText } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { formatNumber, t } from '../shared/text.js';

/** Prompts that were run, newest first, to be used again. */
export class History {
  readonly root: HTMLElement;
  private readonly title = element('summary');
  private readonly list = element('ol', { class: 'prompt-history' });

  constructor(private readonly onChoice: (prompt: string) => void) {
    const clear = button({
      kind: 'link',
      label: t('playground.history.clear'),
      onClick: () => {
        post({ type: 'clearHistory' });
      },
    });
    this.root = element('details', { class: 'advanced' }, this.title, this.list, clear);
  }

  show(prompts: readonly string[]): void {
    this.root.hidden = prompts.length === 0;
    setText(this.title, t('playground.history', formatNumber(prompts.length)));
    this.list.replaceChildren(...prompts.map((prompt) => this.item(prompt)));
  }

  private item(prompt: string): HTMLElement {
    const take = element(
      'button',
      {
        type: 'button',
        class: 'past-prompt',
        title: prompt,
        click: () => {
          this.onChoice(prompt);
        },
      },
      prompt.replaceAll(/\s+/g, ' '),
    );
    return element('li', {}, take);
  }
}
