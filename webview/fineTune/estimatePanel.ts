import type { RunEstimate } from '../../src/protocol/backend.js';
import type { PreflightReport } from '../../src/protocol/preflight.js';
import type { ModelShape } from '../../src/protocol/webview.js';
import type { PhraseKey } from '../../src/protocol/webviewStrings.js';
import { element, setText } from '../shared/dom.js';
import { formatBytes, formatDuration, formatNumber, formatPercent, formatValue, t } from '../shared/text.js';
import type { FormConfig } from './formConfig.js';
import { trainableParameters } from './trainableParameters.js';

/** What the configuration is estimated from, besides itself. */
export interface EstimateBasis {
  readonly modelShape: ModelShape | null;
  readonly estimate: RunEstimate | null;
  /** Of the present data. */
  readonly report: PreflightReport | null;
}

const figures = ['scale', 'parameters', 'memory', 'time'] as const;
type Figure = (typeof figures)[number];

const titles: Readonly<Record<Figure, PhraseKey>> = {
  scale: 'estimate.scale',
  parameters: 'estimate.parameters',
  memory: 'estimate.memory',
  time: 'estimate.time',
};

/** What a run would come to, as the settings move: sizes computed here, memory and time by the host. */
export class EstimatePanel {
  readonly root: HTMLElement;
  private readonly values: Readonly<Record<Figure, HTMLElement>>;

  constructor(private readonly form: FormConfig) {
    const made = figures.map((figure) => [figure, element('dd', {}, '–')] as const);
    this.values = Object.fromEntries(made) as Record<Figure, HTMLElement>;
    const items = made.map(([figure, value]) =>
      element('div', { title: t(`${titles[figure]}.help` as PhraseKey) }, element('dt', {}, t(titles[figure])), value),
    );
    this.root = element('dl', { class: 'figures estimate', 'aria-label': t('estimate.title') }, ...items);
  }

  update(basis: EstimateBasis): void {
    setText(this.values.scale, this.scale());
    setText(this.values.parameters, this.parameters(basis));
    const bytes = basis.estimate?.peakMemoryBytes ?? basis.report?.estimate.peakMemoryBytes;
    setText(this.values.memory, bytes === undefined ? '–' : t('estimate.about', formatBytes(bytes)));
    setText(this.values.time, this.time(basis));
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
    if (modelShape?.model !== this.form.get(['model']) || !modelShape || !Number.isFinite(r) || !Array.isArray(modules))
      return '–';
    const count = trainableParameters(
      modelShape,
      r,
      modules.map(String),
      Array.isArray(layers) ? layers.map(Number) : null,
    );
    return t('estimate.share', formatNumber(count), formatPercent(count / modelShape.totalParameters));
  }

  private time({ estimate, report }: EstimateBasis): string {
    const steps = this.totalSteps(report);
    const perStep = estimate?.secondsPerStep ?? report?.estimate.secondsPerStep;
    if (steps === undefined) return t('estimate.afterPreflight');
    if (perStep === undefined) return t('estimate.steps', formatNumber(steps));
    return t('estimate.timeAndSteps', formatDuration(steps * perStep), formatNumber(steps));
  }

  /** Packed examples share sequences: their number is the report's to know. */
  private totalSteps(report: PreflightReport | null): number | undefined {
    const maxSteps = this.form.number(['train', 'max_steps']);
    if (Number.isFinite(maxSteps)) return maxSteps;
    if (!report) return undefined;
    if (this.form.get(['data', 'packing']) === true) return report.totalSteps;
    const batches = Math.ceil(report.training.examples / this.form.number(['train', 'batch_size']));
    const steps =
      Math.ceil(batches / this.form.number(['train', 'gradient_accumulation_steps'])) *
      this.form.number(['train', 'num_epochs']);
    return Number.isFinite(steps) ? steps : undefined;
  }
}
