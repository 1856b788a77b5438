import { Chart, type Plugin } from 'chart.js';
import { announce } from '../shared/announce.js';
import { element } from '../shared/dom.js';
import { whenViewEnds } from '../shared/lifetime.js';
import { formatNumber, t } from '../shared/text.js';
import type { Theme } from '../shared/theme.js';
import { chartConfiguration, lineDataset, scaleOptions, visiblePoints, type LineChart, type StepRange } from './chartConfig.js';
import { dataTable } from './dataTable.js';
import { Legend, valueAt } from './legend.js';
import type { PlotDefinition, PlotLine } from './lines.js';

/** Events that a plot reports to its board. */
interface PlotEvents {
  readonly onRange: (range: StepRange) => void;
  readonly onHover: (step: number | null) => void;
  readonly onZoomKey: (key: ZoomKey) => void;
  readonly onResize: () => void;
}

export type ZoomKey = 'in' | 'out' | 'left' | 'right' | 'reset';

interface PlotView {
  readonly range: StepRange;
  readonly logScale: boolean;
  readonly asTable: boolean;
}

const zoomKeys: Readonly<Record<string, ZoomKey>> = {
  '+': 'in',
  '=': 'in',
  '-': 'out',
  '0': 'reset',
  PageUp: 'left',
  PageDown: 'right',
};

/** One chart: a figure with a caption, a legend that reads out values, a canvas with a summary, and the same data as a table. */
export class Plot {
  readonly root: HTMLElement;
  readonly canvas = element('canvas', { role: 'img' });
  private readonly legend = new Legend();
  private readonly area: HTMLElement;
  private readonly table = element('div', { class: 'plot-table', tabindex: 0, role: 'group' });
  private readonly chart: LineChart;
  private lines: readonly PlotLine[] = [];
  private range: StepRange = [0, 1];
  private hoverStep: number | null = null;
  private color = 'currentColor';

  constructor(
    readonly definition: PlotDefinition,
    private readonly events: PlotEvents,
    private readonly compact = false,
  ) {
    const title = t(definition.title);
    const focusable = compact
      ? {}
      : {
          tabindex: 0,
          role: 'group',
          'aria-label': t('plot.keys', title),
          keydown: this.onKey,
          blur: () => {
            events.onHover(null);
          },
        };
    this.area = element('div', { class: 'plot-area', ...focusable }, this.canvas);
    this.table.setAttribute('aria-label', t('plot.tableOf', title));
    const { step, root } = this.legend;
    const caption = element('figcaption', {}, element('span', { class: 'plot-title' }, title), step, root);
    this.root = element('figure', { class: `plot plot-${definition.measure}` }, caption, this.area, this.table);
    this.chart = new Chart(this.canvas, chartConfiguration(compact, events.onRange, events.onResize, this.crosshair()));
    this.listenToPointer();
    whenViewEnds(() => {
      this.close();
    });
  }

  close(): void {
    this.chart.destroy();
  }

  get title(): string {
    return t(this.definition.title);
  }

  draw(lines: readonly PlotLine[], view: PlotView, theme: Theme): void {
    this.lines = lines;
    this.range = view.range;
    this.color = theme.foreground;
    this.root.hidden = lines.length === 0;
    if (this.root.hidden) return;
    const logarithmic = view.logScale && this.definition.logarithmic;
    this.area.hidden = view.asTable;
    this.table.hidden = !view.asTable;
    if (view.asTable) this.table.replaceChildren(dataTable(this.title, lines, view.range));
    else this.drawChart(logarithmic, theme);
    this.legend.update(lines, this.hoverStep);
    this.canvas.setAttribute('aria-label', this.summary());
  }

  private drawChart(logarithmic: boolean, theme: Theme): void {
    const pixels = Math.max(50, Math.round(this.chart.width * devicePixelRatio));
    this.chart.data.datasets = this.lines.map((line) =>
      lineDataset(line, visiblePoints(line, this.range, pixels, logarithmic), theme),
    );
    Object.assign(this.chart.options, {
      scales: scaleOptions(theme, this.range, { ...this.definition, logarithmic }, this.compact),
    });
    const drag = this.chart.options.plugins?.zoom?.zoom?.drag;
    if (drag)
      Object.assign(drag, {
        backgroundColor: theme.highContrast ? 'transparent' : theme.grid,
        borderColor: theme.foreground,
        borderWidth: 1,
      });
    this.chart.update('none');
  }

  /** Reads out all lines at this step; null means at their ends. */
  hover(step: number | null): void {
    if (step === this.hoverStep) return;
    this.hoverStep = step;
    this.legend.update(this.lines, step);
    this.chart.draw();
  }

  private summary(): string {
    const listed = this.lines.filter((line) => line.kind !== 'faint' && line.values.length > 0);
    if (listed.length === 0) return t('plot.empty', this.title);
    const values = listed.map((line) =>
      t('plot.lastValue', line.name, line.format(line.values.last!), formatNumber(line.steps.at(line.values.length - 1))).trim(),
    );
    return t('plot.summary', this.title, values.join('; '));
  }

  private crosshair(): Plugin<'line'> {
    return {
      id: 'crosshair',
      afterDatasetsDraw: ({ ctx, chartArea, scales }) => {
        if (this.hoverStep === null) return;
        const x = scales['x']!.getPixelForValue(this.hoverStep);
        if (x < chartArea.left || x > chartArea.right) return;
        ctx.save();
        ctx.strokeStyle = this.color;
        ctx.lineWidth = 1;
        ctx.setLineDash([3, 3]);
        ctx.beginPath();
        ctx.moveTo(x, chartArea.top);
        ctx.lineTo(x, chartArea.bottom);
        ctx.stroke();
        ctx.restore();
      },
    };
  }

  private listenToPointer(): void {
    this.canvas.addEventListener('pointermove', (event) => {
      const step = this.chart.scales['x']?.getValueForPixel(event.offsetX);
      this.events.onHover(step === undefined ? null : this.nearestStep(step));
    });
    this.canvas.addEventListener('pointerleave', () => {
      this.events.onHover(null);
    });
  }

  /** The logged step of any run that is closest to a position on the axis. */
  private nearestStep(place: number): number | null {
    const steps = this.lines.flatMap(({ kind, steps }) => {
      const index = kind === 'line' ? steps.nearest(place) : undefined;
      return index === undefined ? [] : [steps.at(index)];
    });
    return steps.length === 0 ? null : steps.reduce((a, b) => (Math.abs(b - place) < Math.abs(a - place) ? b : a));
  }

  private readonly onKey = (event: Event): void => {
    const { key } = event as KeyboardEvent;
    const zoomKey = zoomKeys[key];
    if (zoomKey) this.events.onZoomKey(zoomKey);
    else if (!this.moveReading(key)) return;
    event.preventDefault();
  };

  /** Arrow keys move along the line, a hundredth of the view (at least one logged step) at a time. */
  private moveReading(key: string): boolean {
    const line = this.longestLine();
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (!line || direction === undefined) return false;
    const [first, last] = this.range;
    const current = line.steps.nearest(this.hoverStep ?? last) ?? 0;
    const stride = Math.max(1, Math.round((line.steps.lowerBound(last) - line.steps.lowerBound(first)) / 100));
    const index = Math.min(line.steps.length - 1, Math.max(0, current + direction * (this.hoverStep === null ? 0 : stride)));
    this.events.onHover(line.steps.at(index));
    this.announceReading();
    return true;
  }

  private longestLine(): PlotLine | undefined {
    const lines = this.lines.filter(({ kind, values }) => kind === 'line' && values.length > 0);
    return lines.sort((a, b) => b.steps.last! - a.steps.last!)[0];
  }

  private announceReading(): void {
    const step = this.hoverStep;
    if (step === null) return;
    const listed = this.lines.filter(({ kind }) => kind !== 'faint');
    const values = listed.flatMap((line) => {
      const value = valueAt(line, step);
      return value === undefined ? [] : [`${line.name || this.title} ${line.format(value)}`];
    });
    announce(`${t('plot.step', formatNumber(step))}: ${values.join('; ')}`);
  }
}
