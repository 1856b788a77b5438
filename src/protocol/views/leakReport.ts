/** @file What an adapter gives away of its training text: the panel's state, and the messages between host and page. */
import { count, list, nullable, number, object, string, type Guard } from '../guard.js';
import type { Leak, LeakReport } from '../leakProbe.js';
import type { ViewProtocol } from './view.js';

export interface LeakReportView {
  readonly state: LeakReportState;
  readonly toWebview: never;
  readonly fromWebview: FromLeakReport;
}

export interface LeakReportState {
  /** Null after the window was reloaded; the page then knows what it showed. */
  readonly shown: ShownLeakReport | null;
}

export interface ShownLeakReport {
  /** Of the run. */
  readonly name: string;
  readonly report: LeakReport;
}

/** Shows where a leaked text is from: `path:line`, or the path alone. */
export interface FromLeakReport {
  readonly type: 'openOrigin';
  readonly origin: string;
}

const leak: Guard<Leak> = object({ origin: string, prefix: string, text: string, tokens: count, baseTokens: count });

const interval = (value: unknown): value is readonly [number, number] => list(number)(value) && value.length === 2;

const report: Guard<LeakReport> = object({
  run: string,
  adapter: string,
  model: string,
  probes: count,
  prefixTokens: count,
  matchTokens: count,
  seed: count,
  places: count,
  probed: count,
  reproduced: count,
  byBaseAlso: count,
  leaks: list(leak),
  rate: number,
  interval,
  engine: string,
});

export const isLeakReportState: Guard<LeakReportState> = object({
  shown: nullable(object<ShownLeakReport>({ name: string, report })),
});

export const leakReport: ViewProtocol<LeakReportView> = {
  state: isLeakReportState,
  toWebview: {},
  fromWebview: {
    openOrigin: object({ origin: string }),
  },
};
