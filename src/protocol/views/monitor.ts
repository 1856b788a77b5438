/** @file The training monitor in the side bar: its state, and the messages between host and page. */
import type { RunsSnapshot } from '../backend.js';
import { runsSnapshot } from '../runGuards.js';
import { boolean, object } from '../guard.js';
import { fromRunViewer, toRunViewer, type FromRunViewer, type ToRunViewer } from './runViewer.js';
import type { ViewProtocol } from './view.js';

export interface MonitorView {
  readonly state: MonitorState;
  readonly toWebview: ToRunViewer;
  readonly fromWebview: FromRunViewer;
}

export interface MonitorState {
  readonly runs: RunsSnapshot;
  /** False if the workspace is not trusted, so that nothing can be started. */
  readonly trusted: boolean;
}

export const monitor: ViewProtocol<MonitorView> = {
  state: object({ runs: runsSnapshot, trusted: boolean }),
  toWebview: toRunViewer,
  fromWebview: fromRunViewer,
};
