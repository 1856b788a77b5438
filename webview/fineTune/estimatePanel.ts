import type { MemoryRemedy, ModelShape, RunEstimate } from '../../src/protocol/backend.js';
import type { PhraseKey } from '../../src/protocol/webviewStrings.js';
import { element, setText } from '../shared/dom.js';
import { counted, formatBytes, formatDuration, formatNumber, formatPercent, formatValue, t } from '../shared/text.js';
import type { FormConfig } from './formConfig.js';
import { totalSteps } from '../shared/totalSteps.js';
import { trainableParameters } from '../shared/trainableParameters.js';

/** What the estimate is based on, besides the configuration. */
interface EstimateBasis {
  readonly modelShape: ModelShape | null;
  readonly estimate: RunEstimate | null;
  /** Training sequences per epoch; null until the data has been read. */
  readonly rows: number | null;
  /** As a pre-flight with these settings expects, evaluations included; null if there was none. */
  readonly totalSeconds: number | null;
}

const figures = ['scale', 'parameters', 'memory', 'time'] as const;
type Figure = (typeof figures)[number];

const titles: Readonly<Record<Figure, PhraseKey>> = {
  scale: 'estimate.scale',
  parameters: 'estimate.parameters',
  memory: 'estimate.memory',
  time: 'estimate.time',
};

/** The estimate for a run, updated as settings change: sizes are computed here, memory and time by the host. */
export class EstimatePanel {
  readonly root: HTMLElement;
  private readonly tooLarge = element('div', { class: 'banner warning', role: 'status', hidden: true });
  private readonly values: Readonly<Record<Figure, HTMLElement>>;

  constructor(private readonly form: FormConfig) {
    const made = figures.map((figure) => [figure, element('dd', {}, '–')] as const);
    this.values = Object.fromEntries(made) as Record<Figure, HTMLElement>;
    const items = made.map(([figure, value]) =>
      element('div', { title: t(`${titles[figure]}.help` as PhraseKey) }, element('dt', {}, t(titles[figure])), value),
    );
    const list = element('dl', { class: 'figures estimate', 'aria-label': t('estimate.title') }, ...items);
    this.root = element('div', {}, list, this.tooLarge);
  }

  update(basis: EstimateBasis): void {
    setText(this.values.scale, this.scale());
    setText(this.values.parameters, this.parameters(basis));
    this.showMemory(basis.estimate);
    setText(this.values.time, this.time(basis));
  }

  private showMemory(estimate: RunEstimate | null): void {
    const isTooLarge = estimate !== null && estimate.peakMemoryBytes > estimate.availableMemoryBytes;
    this.tooLarge.hidden = !isTooLarge;
    if (!estimate) return setText(this.values.memory, '–');
    setText(this.values.memory, memoryInWords(estimate));
    if (isTooLarge) this.tooLarge.replaceChildren(...whatWouldFit(estimate.remedies));
  }

  private scale(): string {
    const r = this.form.number(['lora', 'r']);
    const alpha = this.form.number(['lora', 'alpha']);
    const stabilised = this.form.get(['lora', 'use_rslora']) === true;
    const scale = alpha / (stabilised ? Math.sqrt(r) : r);
    return Number.isFinite(scale) ? formatValue(scale) : '–';
  }

  private parameters({ modelShape }: EstimateBasis): string {
    const r = this.form.number(['lora', 'r']);
    const modules = this.form.get(['lora', 'target_modules']);
    const layers = this.form.get(['lora', 'layers']);
    if (modelShape?.model !== this.form.get(['model']) || !modelShape || !(r >= 1) || !Array.isArray(modules)) return '–';
    const count = trainableParameters(modelShape, r, modules.map(String), Array.isArray(layers) ? layers.map(Number) : null);
    return t('estimate.share', formatNumber(count), formatPercent(count / modelShape.totalParameters));
  }

  private time({ estimate, rows, totalSeconds }: EstimateBasis): string {
    const steps = totalSteps((path) => this.form.get(path), rows);
    if (steps === undefined) return '–';
    const seconds = totalSeconds ?? (estimate?.secondsPerStep == null ? null : steps * estimate.secondsPerStep);
    if (seconds === null) return counted('estimate.steps', steps);
    return t('estimate.timeAndSteps', formatDuration(seconds), counted('estimate.steps', steps));
  }
}

function memoryInWords({ peakMemoryBytes, deviceMemoryBytes, availableMemoryBytes }: RunEstimate): string {
  const [peak, available] = [formatBytes(peakMemoryBytes), formatBytes(availableMemoryBytes)];
  return deviceMemoryBytes > 0
    ? t('estimate.memoryOnGpu', formatBytes(deviceMemoryBytes), peak, available)
    : t('estimate.memoryOf', peak, available);
}

function whatWouldFit(remedies: readonly MemoryRemedy[]): HTMLElement[] {
  if (remedies.length === 0) return [element('span', {}, t('estimate.nothingFits'))];
  const items = remedies.map(({ changes, peakMemoryBytes }) => {
    const settings = changes.map(({ setting, from, to }) => `${setting} ${from} → ${to}`).join(', ');
    return element('li', {}, t('estimate.remedy', settings, formatBytes(peakMemoryBytes)));
  });
  return [element('span', {}, t('estimate.tooLarge')), element('ul', {}, ...items)];
}
