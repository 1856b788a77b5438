/** @file All webviews. A view's name is the value of `data-view` and the name of its script (webview/<name>/main.ts). */
import { completionReport, type CompletionReportView } from './completionReport.js';
import { completionStatistics, type CompletionStatisticsView } from './completionStatistics.js';
import { compare, type CompareView } from './compare.js';
import { fineTune, type FineTuneView } from './fineTune.js';
import { leakReport, type LeakReportView } from './leakReport.js';
import { monitor, type MonitorView } from './monitor.js';
import { playground, type PlaygroundView } from './playground.js';
import { spectrum, type SpectrumView } from './spectrum.js';
import { sweep, type SweepView } from './sweep.js';
import { isFromAnyView, isHydrate, isOneOf, type FromAnyView, type Hydrate, type ViewProtocol } from './view.js';

interface Views {
  readonly fineTune: FineTuneView;
  readonly monitor: MonitorView;
  readonly playground: PlaygroundView;
  readonly compare: CompareView;
  readonly spectrum: SpectrumView;
  readonly completionReport: CompletionReportView;
  readonly sweep: SweepView;
  readonly completionStatistics: CompletionStatisticsView;
  readonly leakReport: LeakReportView;
}
const views: { readonly [V in View]: ViewProtocol<Views[V]> } = {
  fineTune,
  monitor,
  playground,
  compare,
  spectrum,
  completionReport,
  sweep,
  completionStatistics,
  leakReport,
};

export type View = keyof Views;
export type StateOf<V extends View> = Views[V]['state'];
/** Increments, sent after `hydrate`. */
export type ToWebview<V extends View> = Views[V]['toWebview'];
/** The view's own messages. */
export type FromView<V extends View> = Views[V]['fromWebview'];
export type FromWebview = FromAnyView | FromView<View>;

export function isHydrateFor<V extends View>(view: V, message: unknown): message is Hydrate<StateOf<V>> {
  return isHydrate(views[view].state, message);
}

export function isToWebview<V extends View>(view: V, message: unknown): message is ToWebview<V> {
  return isOneOf(views[view].toWebview, message);
}

export function isFromWebview<V extends View>(view: V, message: unknown): message is FromAnyView | FromView<V> {
  return isFromAnyView(message) || isOneOf(views[view].fromWebview, message);
}
