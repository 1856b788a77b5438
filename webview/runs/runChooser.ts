import type { RunSummary } from '../../src/protocol/backend.js';
import { element } from '../shared/dom.js';
import { formatTime, formatValue, t } from '../shared/text.js';
import { statusWord } from './runStatus.js';

interface Item {
  /** Everything that it shows. */
  readonly shown: string;
  readonly root: HTMLElement;
}

/** A list of runs to tick: the ticked ones are drawn together. */
export class RunChooser {
  readonly root = element('ul', { class: 'run-chooser' });
  private items: ReadonlyMap<string, Item> = new Map();
  private chosen: readonly string[] = [];

  constructor(private readonly onChoice: (runIds: readonly string[]) => void) {}

  /** There may be a thousand runs, of which one changes at a time: only its item is made anew. */
  update(runs: readonly RunSummary[], chosen: readonly string[]): void {
    this.chosen = chosen;
    const before = [...this.items.values()];
    const items = runs.map((run) => this.itemOf(run));
    this.items = new Map(runs.map(({ runId }, index) => [runId, items[index]!]));
    if (items.length === before.length && items.every((item, index) => item === before[index])) return;
    const focused =
      document.activeElement instanceof HTMLInputElement && this.root.contains(document.activeElement)
        ? document.activeElement.value
        : undefined;
    this.root.replaceChildren(...items.map(({ root }) => root));
    for (const box of this.root.querySelectorAll('input')) if (box.value === focused) box.focus();
  }

  private itemOf(run: RunSummary): Item {
    const { runId, name, state } = run;
    const shown = JSON.stringify([name, state.status, state.bestEvalLoss, state.startedAt, this.chosen.includes(runId)]);
    const before = this.items.get(runId);
    return before?.shown === shown ? before : { shown, root: this.draw(run) };
  }

  private draw(run: RunSummary): HTMLElement {
    const box = element('input', { type: 'checkbox', value: run.runId, checked: this.chosen.includes(run.runId) });
    box.addEventListener('change', () => {
      this.onChoice(box.checked ? [...this.chosen, run.runId] : this.chosen.filter((runId) => runId !== run.runId));
    });
    const best = run.state.bestEvalLoss === null ? [] : [t('run.bestShort', formatValue(run.state.bestEvalLoss))];
    const details = [statusWord(run.state.status), ...best, formatTime(run.state.startedAt)].join(' · ');
    return element(
      'li',
      {},
      element(
        'label',
        { class: 'inline-control', title: run.runId },
        box,
        element('span', { class: 'run-name' }, run.name),
        element('span', { class: 'muted' }, details),
      ),
    );
  }
}
