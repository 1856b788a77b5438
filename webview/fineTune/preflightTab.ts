import type {
  DataSummary,
  PreflightReport,
  SampleSequence,
  SampleToken,
  SkippedRecord,
  StepEstimate,
} from '../../src/protocol/preflight.js';
import type { PreflightState } from '../../src/protocol/webview.js';
import { announce } from '../shared/announce.js';
import { button, element, icon } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { formatBytes, formatDuration, formatNumber, formatPercent, t } from '../shared/text.js';
import { histogram } from './histogram.js';

/** What the model will really see, before a minute of training is spent. */
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
          element(
            'div',
            { class: 'empty-state' },
            element('p', {}, t('preflight.explanation')),
            this.runButton('primary'),
          ),
        ];
      case 'running':
        return [
          element(
            'div',
            { class: 'empty-state', role: 'status' },
            element('p', {}, icon('loading codicon-modifier-spin'), ` ${t('preflight.running')}`),
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
      : [
          element(
            'div',
            { class: 'banner warning' },
            element('span', {}, t('preflight.outdated')),
            this.runButton('secondary'),
          ),
        ];
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
    section(t('preflight.samples'), legend(), ...of.samples.map(sample)),
    section(t('preflight.lengths'), histogram(of.training)),
    ...(of.skippedCount > 0
      ? [section(t('preflight.skipped', formatNumber(of.skippedCount)), skippedTable(of.skipped))]
      : []),
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
    [t('preflight.format'), of.format],
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

function memoryInWords({ peakMemoryBytes, expectedDeviceBytes }: StepEstimate): string {
  const peak = formatBytes(peakMemoryBytes);
  return expectedDeviceBytes > 0
    ? t('estimate.aboutOnGpu', formatBytes(expectedDeviceBytes), peak)
    : t('estimate.about', peak);
}

function summary({ examples, tokens }: DataSummary): string {
  return `${t('data.examples', formatNumber(examples))} · ${t('data.tokens', formatNumber(tokens))}`;
}

function legend(): HTMLElement {
  const entry = (kind: string, text: string) =>
    element('li', {}, element('span', { class: `token ${kind}` }, t('preflight.token')), ` ${text}`);
  return element(
    'ul',
    { class: 'token-legend' },
    entry('learned', t('preflight.legend.learned')),
    entry('context', t('preflight.legend.context')),
    entry('cut', t('preflight.legend.cut')),
  );
}

/** Named by its file and line; the whole path is in the tooltip. */
function originLink(origin: string): HTMLElement {
  return button({
    kind: 'link',
    label: origin.split(/[\\/]/).at(-1)!,
    title: `${t('preflight.open')}\n${origin}`,
    onClick: () => {
      post({ type: 'openOrigin', origin });
    },
  });
}

function sample({ origin, tokens, cut }: SampleSequence): HTMLElement {
  const where = originLink(origin);
  const rest = cut > 0 ? element('span', { class: 'token cut' }, t('preflight.cut', formatNumber(cut))) : null;
  return element(
    'article',
    { class: 'sample' },
    element('header', {}, where, element('span', { class: 'muted' }, t('data.tokens', formatNumber(tokens.length)))),
    element(
      'p',
      { class: 'tokens', tabindex: 0, role: 'group', 'aria-label': t('preflight.sampleOf', origin) },
      ...tokens.map(token),
      rest,
    ),
  );
}

/** Line ends and spaces are made visible: to the model they are tokens like others. */
function token({ id, text, learned }: SampleToken): HTMLElement {
  const visible = text.replaceAll('\n', '⏎\n').replaceAll('\t', '⇥').replaceAll(' ', '·');
  const title = t(learned ? 'preflight.tokenLearned' : 'preflight.tokenContext', id);
  return element('span', { class: `token ${learned ? 'learned' : 'context'}`, title }, visible || '∅');
}

function skippedTable(skipped: readonly SkippedRecord[]): HTMLElement {
  const rows = skipped.map(({ origin, reason }) =>
    element(
      'tr',
      {},
      element(
        'th',
        { scope: 'row' },
        originLink(origin),
      ),
      element('td', {}, reason),
    ),
  );
  const header = element(
    'tr',
    {},
    element('th', { scope: 'col' }, t('preflight.where')),
    element('th', { scope: 'col' }, t('preflight.reason')),
  );
  return element('table', { class: 'skipped' }, element('thead', {}, header), element('tbody', {}, ...rows));
}
