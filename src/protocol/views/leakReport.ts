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
  /** Null after the window was reloaded; the page then knows which run it showed. */
  readonly shown: ShownLeakReport | null;
}

export interface ShownLeakReport {
  /** Of the run. */
  readonly name: string;
  readonly report: LeakReport;
}

export type FromLeakReport =
  /** Probes the run again, which the page showed before the window was reloaded. */
  | { readonly type: 'probeAgain'; readonly run: string }
  /** Shows where a leaked text is from: `path:line`, or the path alone. */
  | { readonly type: 'openOrigin'; readonly origin: string };

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

export const leakReport: ViewProtocol<LeakReportView> = {
  state: object({ shown: nullable(object<ShownLeakReport>({ name: string, report })) }),
  toWebview: {},
  fromWebview: {
    probeAgain: object({ run: string }),
    openOrigin: object({ origin: string }),
  },
};
