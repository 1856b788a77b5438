import { boolean, nullable, number, object, type Guard } from '../../src/protocol/guard.js';
import { button, element, setText } from '../shared/dom.js';
import { oncePerFrame } from '../shared/frame.js';
import { formatNumber, t } from '../shared/text.js';
import { onThemeChange, readTheme } from '../shared/theme.js';
import type { StepRange } from './chartConfig.js';
import { exportCsv, exportPng } from './export.js';
import { allPlots, plotLines, type BoardRun } from './lines.js';
import { Plot, type ZoomKey } from './plot.js';

/** How the plots are viewed; outlives the webview. */
export interface BoardState {
  /** Weight of the moving average, 0 (none) to 0.99. */
  readonly smoothing: number;
  readonly logScale: boolean;
  readonly asTable: boolean;
  /** Null means everything there is, growing with the run. */
  readonly range: StepRange | null;
}

const stepRange: Guard<StepRange> = (value): value is StepRange =>
  Array.isArray(value) && value.length === 2 && value.every(number);
export const isBoardState: Guard<BoardState> = object({
  smoothing: number,
  logScale: boolean,
  asTable: boolean,
  range: nullable(stepRange),
});
export const initialBoardState: BoardState = { smoothing: 0.6, logScale: false, asTable: false, range: null };

/** Minimum number of steps in view. */
const narrowest = 4;

/** The plots of some runs over a common range of steps, with shared controls. */
export class PlotBoard {
  readonly root: HTMLElement;
  private readonly plots: readonly Plot[];
  private readonly smoothingValue = element('output', { class: 'number-output' });
  private readonly savePng = button({
    kind: 'icon',
    icon: 'file-media',
    label: t('plots.exportPng'),
    onClick: () => {
      exportPng(this.plots, readTheme());
    },
  });
  private runs: readonly BoardRun[] = [];
  private readonly redraw = oncePerFrame(() => {
    this.draw();
  });

  constructor(
    private state: BoardState,
    private readonly onStateChange: (state: BoardState) => void,
  ) {
    const events = {
      onRange: (range: StepRange) => {
        this.zoomTo(range);
      },
      onHover: (step: number | null) => {
        this.plots.forEach((plot) => {
          plot.hover(step);
        });
      },
      onZoomKey: (key: ZoomKey) => {
        this.zoomBy(key);
      },
      onResize: () => {
        this.redraw();
      },
    };
    this.plots = allPlots.map((definition) => new Plot(definition, events));
    this.root = element(
      'div',
      { class: 'board' },
      this.toolbar(),
      element('div', { class: 'plots' }, ...this.plots.map((plot) => plot.root)),
    );
    onThemeChange(this.redraw);
  }

  show(runs: readonly BoardRun[]): void {
    const isDrawn = (run: BoardRun, index: number) => {
      const drawn = this.runs[index];
      return drawn?.runId === run.runId && drawn.name === run.name && drawn.series === run.series;
    };
    if (runs.length === this.runs.length && runs.every(isDrawn)) return;
    this.runs = runs;
    this.redraw();
  }

  /** Call this when series have grown; changes made on the board itself redraw it anyway. */
  draw(): void {
    if (this.root.offsetParent === null) return;
    const theme = readTheme();
    const view = { ...this.state, range: this.state.range ?? this.wholeRange() };
    this.savePng.disabled = this.state.asTable;
    setText(this.smoothingValue, formatNumber(this.state.smoothing, { minimumFractionDigits: 2 }));
    for (const plot of this.plots) plot.draw(plotLines(plot.definition, this.runs, this.state.smoothing), view, theme);
  }

  private wholeRange(): StepRange {
    const firstSteps = this.runs.flatMap(({ series }) => series.firstStep ?? []);
    const first = firstSteps.length > 0 ? Math.min(...firstSteps) : 0;
    return [first, Math.max(first + 1, ...this.runs.map(({ series }) => series.lastStep))];
  }

  private change(change: Partial<BoardState>): void {
    this.state = { ...this.state, ...change };
    this.onStateChange(this.state);
    this.redraw();
  }

  private zoomTo([from, to]: StepRange): void {
    const [first, last] = this.wholeRange();
    const width = Math.min(Math.max(to - from, narrowest), last - first);
    const start = Math.min(Math.max(from, first), last - width);
    this.change({ range: width >= last - first ? null : [start, start + width] });
  }

  private zoomBy(key: ZoomKey): void {
    const [from, to] = this.state.range ?? this.wholeRange();
    const width = to - from;
    switch (key) {
      case 'in':
        return this.zoomTo([from + width / 4, to - width / 4]);
      case 'out':
        return this.zoomTo([from - width / 2, to + width / 2]);
      case 'left':
        return this.zoomTo([from - width / 3, to - width / 3]);
      case 'right':
        return this.zoomTo([from + width / 3, to + width / 3]);
      case 'reset':
        return this.change({ range: null });
    }
  }

  private toolbar(): HTMLElement {
    return element(
      'div',
      { class: 'toolbar', role: 'toolbar', 'aria-label': t('plots.toolbar') },
      this.smoothingControl(),
      this.toggle(t('plots.logScale'), 'logScale'),
      this.toggle(t('plots.asTable'), 'asTable'),
      element('span', { class: 'spacer' }),
      this.zoomButton('zoom-in', t('plots.zoomIn'), 'in'),
      this.zoomButton('zoom-out', t('plots.zoomOut'), 'out'),
      this.zoomButton('arrow-left', t('plots.panLeft'), 'left'),
      this.zoomButton('arrow-right', t('plots.panRight'), 'right'),
      this.zoomButton('screen-full', t('plots.zoomReset'), 'reset'),
      element('span', { class: 'separator' }),
      this.savePng,
      button({
        kind: 'icon',
        icon: 'table',
        label: t('plots.exportCsv'),
        onClick: () => {
          exportCsv(this.runs);
        },
      }),
    );
  }

  private smoothingControl(): HTMLElement {
    const slider = element('input', {
      type: 'range',
      min: 0,
      max: 0.99,
      step: 0.01,
      value: this.state.smoothing,
      title: t('plots.smoothing.help'),
    });
    slider.addEventListener('input', () => {
      this.change({ smoothing: slider.valueAsNumber });
    });
    return element('label', { class: 'inline-control' }, element('span', {}, t('plots.smoothing')), slider, this.smoothingValue);
  }

  private toggle(label: string, key: 'logScale' | 'asTable'): HTMLElement {
    const box = element('input', { type: 'checkbox', checked: this.state[key] });
    box.addEventListener('change', () => {
      this.change({ [key]: box.checked });
    });
    return element('label', { class: 'inline-control' }, box, element('span', {}, label));
  }

  private zoomButton(iconName: string, label: string, key: ZoomKey): HTMLButtonElement {
    return button({
      kind: 'icon',
      icon: iconName,
      label,
      onClick: () => {
        this.zoomBy(key);
      },
    });
  }
}
