import type { RunSummary } from '../../src/protocol/backend.js';
import { button, element, setText } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { formatNumber, t } from '../shared/text.js';

/** Runs named at most; a sweep may have hundreds. */
const most = 5;

/** The runs that wait for their turn, in order; a click opens one. */
export class WaitingRuns {
  private readonly title = element('h2');
  private readonly list = element('ol');
  private readonly more = element('p', { class: 'muted' });
  readonly root = element('section', { class: 'waiting-runs', hidden: true }, this.title, this.list, this.more);
  private listed = '';

  update(runs: readonly RunSummary[]): void {
    const signature = JSON.stringify(runs.map(({ runId, name }) => [runId, name]));
    if (signature === this.listed) return;
    this.listed = signature;
    this.root.hidden = runs.length === 0;
    setText(this.title, t('queue.waiting', formatNumber(runs.length)));
    this.list.replaceChildren(...runs.slice(0, most).map((run) => element('li', {}, openButton(run))));
    this.more.hidden = runs.length <= most;
    setText(this.more, t('data.andMore', formatNumber(runs.length - most)));
  }
}

function openButton({ runId, name }: RunSummary): HTMLElement {
  return button({
    kind: 'link',
    label: name,
    onClick: () => {
      post({ type: 'runCommand', runId, command: 'open' });
    },
  });
}
