/** @file The messages shared by the views that show runs: fineTune, monitor, compare, sweep. */
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
   * Metrics of a run that the view follows. `first` is the index of metrics[0] among all of the run's metrics; 0 means forget
   * what came before (also when a resumed run has replaced metrics.jsonl). Existing metrics come first, in chunks of a few
   * thousand, then new ones at most ten times a second.
   */
  | { readonly type: 'metrics'; readonly runId: string; readonly first: number; readonly metrics: readonly Metric[] }
  /** Sample outputs of a run that the view follows, sent in the same way. */
  | { readonly type: 'samples'; readonly runId: string; readonly first: number; readonly samples: readonly Sample[] }
  /** The config that a followed run was started with; sent once per run. */
  | { readonly type: 'runConfig'; readonly runId: string; readonly config: RunConfig };

export type FromRunViewer =
  /** All runs whose metrics (and configs) the view wants from now on; each new one is sent from the beginning. */
  { readonly type: 'follow'; readonly runIds: readonly string[] };

export const toRunViewer: Bodies<ToRunViewer> = {
  runEvent: object({ event: runEvent }),
  metrics: object({ runId: string, first: count, metrics: list(metric) }),
  samples: object({ runId: string, first: count, samples: list(sample) }),
  runConfig: object({ runId: string, config: runConfig }),
};

export const fromRunViewer: Bodies<FromRunViewer> = { follow: object({ runIds: list(string) }) };
