/** @file The comparison of several runs: the panel's state, and the messages between host and page. */
import type { RunsSnapshot } from '../backend.js';
import { runsSnapshot } from '../runGuards.js';
import { list, object, string } from '../guard.js';
import { fromRunViewer, toRunViewer, type FromRunViewer, type ToRunViewer } from './runViewer.js';
import type { ViewProtocol } from './view.js';

export interface CompareView {
  readonly state: CompareState;
  readonly toWebview: ToRunViewer;
  readonly fromWebview: FromRunViewer;
}

export interface CompareState {
  readonly runs: RunsSnapshot;
  /** The runs chosen in the command; the view may choose others. */
  readonly runIds: readonly string[];
}

export const compare: ViewProtocol<CompareView> = {
  state: object({ runs: runsSnapshot, runIds: list(string) }),
  toWebview: toRunViewer,
  fromWebview: fromRunViewer,
};
