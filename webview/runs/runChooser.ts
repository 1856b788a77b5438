import type { RunSummary } from '../../src/protocol/backend.js';
import { element } from '../shared/dom.js';
import { formatTime, formatValue, t } from '../shared/text.js';
import { statusWord } from './runStatus.js';

/** A list of runs to tick: the ticked ones are drawn together. */
export class RunChooser {
  readonly root = element('ul', { class: 'run-chooser' });
  private listed = '';

  constructor(private readonly onChoice: (runIds: readonly string[]) => void) {}

  update(runs: readonly RunSummary[], chosen: readonly string[]): void {
    const signature = JSON.stringify([
      chosen,
      runs.map(({ runId, name, state }) => [runId, name, state.status, state.bestEvalLoss]),
    ]);
    if (signature === this.listed) return;
    this.listed = signature;
    const focused =
      document.activeElement instanceof HTMLInputElement && this.root.contains(document.activeElement)
        ? document.activeElement.value
        : undefined;
    this.root.replaceChildren(...runs.map((run) => this.item(run, chosen)));
    for (const box of this.root.querySelectorAll('input')) if (box.value === focused) box.focus();
  }

  private item(run: RunSummary, chosen: readonly string[]): HTMLElement {
    const box = element('input', { type: 'checkbox', value: run.runId, checked: chosen.includes(run.runId) });
    box.addEventListener('change', () => {
      this.onChoice(box.checked ? [...chosen, run.runId] : chosen.filter((runId) => runId !== run.runId));
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
