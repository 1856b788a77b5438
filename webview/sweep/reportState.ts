import { boolean, list, nullable, object, string, type Guard } from '../../src/protocol/guard.js';
import { initialBoardState, isBoardState, type BoardState } from '../plots/board.js';

export interface SortOrder {
  readonly column: string;
  readonly descending: boolean;
}

/** How a report is viewed; outlives the webview. */
export interface ReportState {
  readonly sort: SortOrder;
  /** What the plot shows (measures.ts), and against what (axes.ts); empty until one is chosen. */
  readonly measure: string;
  readonly axis: string;
  /** Runs whose curves are drawn; null means the usual ones. */
  readonly drawn: readonly string[] | null;
  readonly board: BoardState;
}

export const isReportState: Guard<ReportState> = object({
  sort: object<SortOrder>({ column: string, descending: boolean }),
  measure: string,
  axis: string,
  drawn: nullable(list(string)),
  board: isBoardState,
});

export const initialReportState: ReportState = {
  sort: { column: 'loss', descending: false },
  measure: '',
  axis: '',
  drawn: null,
  board: initialBoardState,
};
