import type { RunSummary } from '../../src/protocol/backend.js';
import type { RunConfig } from '../../src/protocol/runConfig.js';
import { isOver } from '../../src/protocol/runs.js';
import type { RunSeries } from '../plots/runSeries.js';
import { outcomeOf } from '../runs/course.js';
import { outcomeInWords } from '../runs/courseText.js';
import { button, element } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { t } from '../shared/text.js';

/** For a run that has ended: what it changed, and what to do next. */
export class RunOutcome {
  private readonly words = element('div', { class: 'run-outcome-words' });
  private readonly ofAdapter = [this.commandButton('playground', 'primary'), this.commandButton('completion', 'secondary')];
  private readonly again = button({
    label: t('shown.change'),
    title: t('shown.change.help'),
    onClick: () => {
      if (this.config) this.change(this.config);
    },
  });
  readonly root = element(
    'section',
    { class: 'run-outcome', 'aria-label': t('outcome.title') },
    this.words,
    element('div', { class: 'run-outcome-buttons' }, ...this.ofAdapter, this.again),
  );
  private run: RunSummary | undefined;
  private config: RunConfig | undefined;

  constructor(private readonly change: (config: RunConfig) => void) {}

  /** `config` is undefined until it has arrived. `editable`: whether there is a text that could take the settings. */
  update(run: RunSummary, series: RunSeries, config: RunConfig | undefined, editable: boolean): void {
    this.run = run;
    this.config = config;
    this.root.hidden = !isOver(run.state.status);
    for (const control of this.ofAdapter) control.hidden = !run.hasAdapter;
    this.again.disabled = !config || !editable;
    const outcome = outcomeOf(series);
    this.say(outcome ? outcomeInWords(outcome) : []);
  }

  private say(sentences: readonly string[]): void {
    this.words.hidden = sentences.length === 0;
    const said = [...this.words.children].map(({ textContent }) => textContent);
    if (said.join('\n') !== sentences.join('\n'))
      this.words.replaceChildren(...sentences.map((sentence) => element('p', {}, sentence)));
  }

  private commandButton(command: 'playground' | 'completion', kind: 'primary' | 'secondary'): HTMLButtonElement {
    return button({
      kind,
      label: t(`command.${command}`),
      onClick: () => {
        if (this.run) post({ type: 'runCommand', runId: this.run.runId, command });
      },
    });
  }
}
