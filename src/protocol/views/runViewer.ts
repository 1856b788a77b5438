/** @file What views that show runs have in common: fineTune, monitor, compare. */
import type { RunEvent } from '../backend.js';
import { runConfig } from '../configGuards.js';
import type { Metric, Sample } from '../run.js';
import type { RunConfig } from '../runConfig.js';
import { metric, runEvent, sample } from '../runGuards.js';
import { count, list, object, string } from '../guard.js';
import type { Bodies } from './view.js';

export type ToRunViewer =
  | { readonly type: 'runEvent'; readonly event: RunEvent }
  /**
   * Metrics of a run that the view follows. `first` is the index of metrics[0] among all of the run's metrics: 0 means forget
   * what came before (also after a resumed run replaced metrics.jsonl). All there are come first, in pieces of some
   * thousands, then the new ones at most ten times a second.
   */
  | { readonly type: 'metrics'; readonly runId: string; readonly first: number; readonly metrics: readonly Metric[] }
  /** Sample outputs of a run that the view follows, in the same way. */
  | { readonly type: 'samples'; readonly runId: string; readonly first: number; readonly samples: readonly Sample[] }
  /** Once for each followed run, as it was started. */
  | { readonly type: 'runConfig'; readonly runId: string; readonly config: RunConfig };

export type FromRunViewer =
  /** The whole list of runs whose metrics (and configs) the view wants from now on; each new one is sent from its start. */
  { readonly type: 'follow'; readonly runIds: readonly string[] };

export const toRunViewer: Bodies<ToRunViewer> = {
  runEvent: object({ event: runEvent }),
  metrics: object({ runId: string, first: count, metrics: list(metric) }),
  samples: object({ runId: string, first: count, samples: list(sample) }),
  runConfig: object({ runId: string, config: runConfig }),
};

export const fromRunViewer: Bodies<FromRunViewer> = { follow: object({ runIds: list(string) }) };
