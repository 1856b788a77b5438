import type { DotPlot } from './dotPlot.js';

/** A part of the report with plots, which are drawn once it is on the page and again in other colours. */
export interface PlotSection {
  readonly root: HTMLElement;
  readonly plots: readonly DotPlot[];
}
