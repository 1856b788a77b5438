import type { DataSummary, PreflightReport, StepEstimate } from '../../src/protocol/preflight.js';
import type { PreflightState } from '../../src/protocol/views/fineTune.js';
import { announce } from '../shared/announce.js';
import { button, element, icon } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { counted, formatBytes, formatDuration, formatNumber, formatPercent, t } from '../shared/text.js';
import { histogram } from './histogram.js';

/** What the model will really see, shown before any time is spent on training. */
export class PreflightTab {
  readonly root = element('div', { class: 'preflight' });
  private shown: PreflightState | undefined;

  constructor(private readonly beforehand: () => void) {}

  update(state: PreflightState): void {
    if (state === this.shown) return;
    if (this.shown?.kind === 'running' && state.kind === 'ready') announce(t('preflight.done'));
    this.shown = state;
    this.root.replaceChildren(...this.content(state));
  }

  private content(state: PreflightState): HTMLElement[] {
    switch (state.kind) {
      case 'none':
        return [
          element('div', { class: 'empty-state' }, element('p', {}, t('preflight.explanation')), this.runButton('primary')),
        ];
      case 'running':
        return [
          element(
            'div',
            { class: 'empty-state', role: 'status' },
            element('p', {}, icon('loading codicon-modifier-spin'), ` ${t('preflight.running')}`),
            ...(state.note === null ? [] : [element('p', {}, state.note)]),
            this.cancelButton(),
          ),
        ];
      case 'failed':
        return [
          element(
            'div',
            { class: 'empty-state' },
            element('p', { class: 'banner error', role: 'alert' }, state.message),
            this.runButton('primary'),
          ),
        ];
      case 'ready':
        return [...this.outdated(state.current), ...report(state.report)];
    }
  }

  private outdated(current: boolean): HTMLElement[] {
    return current
      ? []
      : [element('div', { class: 'banner warning' }, element('span', {}, t('preflight.outdated')), this.runButton('secondary'))];
  }

  private runButton(kind: 'primary' | 'secondary'): HTMLElement {
    return button({
      kind,
      label: t('preflight.run'),
      onClick: () => {
        this.beforehand();
        post({ type: 'runPreflight' });
      },
    });
  }

  private cancelButton(): HTMLElement {
    return button({
      label: t('preflight.cancel'),
      onClick: () => {
        post({ type: 'cancelPreflight' });
      },
    });
  }
}

function report(of: PreflightReport): HTMLElement[] {
  const warnings = of.warnings.map((warning) => element('li', {}, icon('warning'), ` ${warning}`));
  return [
    overview(of),
    ...(warnings.length > 0
      ? [element('ul', { class: 'banner warning', 'aria-label': t('preflight.warnings') }, ...warnings)]
      : []),
    section(t('preflight.lengths'), histogram(of.training)),
  ];
}

function section(title: string, ...content: readonly HTMLElement[]): HTMLElement {
  return element('section', { class: 'preflight-section' }, element('h2', {}, title), ...content);
}

function overview(of: PreflightReport): HTMLElement {
  const { training, evaluation, estimate } = of;
  const figures: readonly (readonly [string, string])[] = [
    [t('preflight.training'), summary(training)],
    [t('preflight.evaluation'), evaluation ? summary(evaluation) : t('form.none')],
    [
      t('preflight.learned'),
      t(
        'preflight.learnedShare',
        formatNumber(training.labelTokens),
        formatPercent(training.labelTokens / Math.max(1, training.tokens)),
      ),
    ],
    [t('data.format'), of.format],
    [t('preflight.steps'), formatNumber(of.totalSteps)],
    [t('estimate.time'), t('estimate.about', formatDuration(estimate.totalSeconds))],
    [t('estimate.memory'), memoryInWords(estimate)],
    [t('figure.device'), of.device],
  ];
  return element(
    'dl',
    { class: 'figures' },
    ...figures.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  );
}

/** The same figure as in the estimate next to the form: expected for the whole run, which one measured step does not reach. */
function memoryInWords({ expectedMemoryBytes, expectedDeviceBytes }: StepEstimate): string {
  const peak = formatBytes(expectedMemoryBytes);
  return expectedDeviceBytes > 0 ? t('estimate.aboutOnGpu', formatBytes(expectedDeviceBytes), peak) : t('estimate.about', peak);
}

function summary({ examples, tokens }: DataSummary): string {
  return `${counted('data.examples', examples)} · ${counted('data.tokens', tokens)}`;
}
