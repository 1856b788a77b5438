/** @file A sweep: what is planned, how it stands, and the messages between host and page. */
import type { ConfigCheck, ModelShape, RunsSnapshot } from '../backend.js';
import { configCheck, modelShape } from '../configGuards.js';
import { boolean, count, either, nullable, object, oneOf, string, type Guard } from '../guard.js';
import { runsSnapshot } from '../runGuards.js';
import type { SweepReport, SweepRequest } from '../sweep.js';
import { sweepReport, sweptSettings } from '../sweepGuards.js';
import { variableSettings } from '../sweepSettings.js';
import { fromRunViewer, toRunViewer, type FromRunViewer, type ToRunViewer } from './runViewer.js';
import { nothing, type ViewProtocol } from './view.js';

export interface SweepView {
  readonly state: SweepState;
  readonly toWebview: ToSweep | ToRunViewer;
  readonly fromWebview: FromSweep | FromRunViewer;
}

export interface SweepState {
  readonly runs: RunsSnapshot;
  readonly shown: ShownSweep;
}

export type ShownSweep =
  /** After a reload of the window, until the page has said what it showed. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'plan'; readonly plan: SweepPlan }
  | { readonly kind: 'report'; readonly report: SweepReport }
  /** The file or the folder is gone, or cannot be read. */
  | { readonly kind: 'failed'; readonly message: string };

/** What a new sweep begins with. */
export interface SweepPlan {
  /** The run.json whose settings all runs share, and its name as the user knows it. */
  readonly path: string;
  readonly name: string;
  /** Whether these are the settings of a run, which are not to be edited. */
  readonly isRecord: boolean;
  /** Null until it is known. */
  readonly check: ConfigCheck | null;
  readonly modelShape: ModelShape | null;
  /** Training sequences per epoch; null until the data has been read. */
  readonly rows: number | null;
}

export type ToSweep =
  | { readonly type: 'plan'; readonly plan: SweepPlan }
  | { readonly type: 'report'; readonly report: SweepReport }
  | { readonly type: 'startFailed'; readonly message: string };

export type FromSweep =
  /** What the page showed before the window was reloaded. */
  | { readonly type: 'reopenPlan'; readonly path: string }
  | { readonly type: 'reopenSweep'; readonly sweepId: string }
  /** Opens the shared settings in the Fine-Tune panel. */
  | { readonly type: 'editSettings' }
  | ({ readonly type: 'start' } & Omit<SweepRequest, 'config'>)
  /** Stops what is at work and takes the rest out of the queue; nothing is lost. */
  | { readonly type: 'stopSweep' }
  /** Puts what was stopped or has failed back into the queue, except the runs that halving left. */
  | { readonly type: 'resumeSweep' }
  /** Measures how well the adapters complete code that they have not seen. */
  | { readonly type: 'evaluateSweep' }
  /** Shows what they wrote, case by case. */
  | { readonly type: 'showCompletions' };

const plan: Guard<SweepPlan> = object({
  path: string,
  name: string,
  isRecord: boolean,
  check: nullable(configCheck),
  modelShape: nullable(modelShape),
  rows: nullable(count),
});

const parameters: Guard<SweepRequest['parameters']> = (value): value is SweepRequest['parameters'] =>
  sweptSettings.parameters(value) && Object.keys(value).every((setting) => variableSettings().includes(setting));

const shown: Guard<ShownSweep> = either(
  object<{ kind: 'nothing' }>({ kind: oneOf('nothing') }),
  object<Extract<ShownSweep, { kind: 'plan' }>>({ kind: oneOf('plan'), plan }),
  object<Extract<ShownSweep, { kind: 'report' }>>({ kind: oneOf('report'), report: sweepReport }),
  object<Extract<ShownSweep, { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);

export const sweep: ViewProtocol<SweepView> = {
  state: object({ runs: runsSnapshot, shown }),
  toWebview: {
    ...toRunViewer,
    plan: object({ plan }),
    report: object({ report: sweepReport }),
    startFailed: object({ message: string }),
  },
  fromWebview: {
    ...fromRunViewer,
    reopenPlan: object({ path: string }),
    reopenSweep: object({ sweepId: string }),
    editSettings: nothing,
    start: object<Omit<SweepRequest, 'config'>>({ ...sweptSettings, name: nullable(string), parameters }),
    stopSweep: nothing,
    resumeSweep: nothing,
    evaluateSweep: nothing,
    showCompletions: nothing,
  },
};
