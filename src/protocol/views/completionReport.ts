/** @file The report of an evaluation of inline completion: the panel's state, and the messages between host and page. */
import { completionReport as isReport, type CompletionReport } from '../completionReport.js';
import { count, nullable, object, string } from '../guard.js';
import type { ViewProtocol } from './view.js';

export interface CompletionReportView {
  readonly state: CompletionReportState;
  readonly toWebview: never;
  readonly fromWebview: FromCompletionReport;
}

export interface CompletionReportState {
  /** Null after the window was reloaded, until the page has said which run it showed. */
  readonly runId: string | null;
  /** Null until it is read, or if the run has none any more. */
  readonly report: CompletionReport | null;
}

export type FromCompletionReport =
  | { readonly type: 'openReport'; readonly runId: string }
  /** Shows a place in a file; lines and columns are counted from 1. */
  | { readonly type: 'openPlace'; readonly path: string; readonly line: number; readonly column: number };

export const completionReport: ViewProtocol<CompletionReportView> = {
  state: object({ runId: nullable(string), report: nullable(isReport) }),
  toWebview: {},
  fromWebview: {
    openReport: object({ runId: string }),
    openPlace: object({ path: string, line: count, column: count }),
  },
};
