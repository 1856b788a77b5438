/** @file The Fine-Tune panel: its state, and the messages between host and page. */
import type { ConfigCheck, ModelInfo, ModelShape, RunsSnapshot } from '../backend.js';
import { modelInfo } from '../catalogGuards.js';
import { configCheck, modelShape } from '../configGuards.js';
import { dataOverview, examplePage, exampleQuery, preflightReport } from '../dataGuards.js';
import type { DataOverview, ExamplePage, ExampleQuery, PreflightReport } from '../preflight.js';
import { runsSnapshot } from '../runGuards.js';
import {
  anything,
  boolean,
  count,
  either,
  list,
  nullable,
  number,
  object,
  oneOf,
  recordOf,
  string,
  type Guard,
} from '../guard.js';
import { fromRunViewer, toRunViewer, type FromRunViewer, type ToRunViewer } from './runViewer.js';
import { nothing, type ViewProtocol } from './view.js';

export interface FineTuneView {
  readonly state: FineTuneState;
  readonly toWebview: ToFineTune | ToRunViewer;
  readonly fromWebview: FromFineTune | FromRunViewer;
}

export interface FineTuneState {
  readonly document: ConfigDocument;
  readonly check: ConfigCheck | null;
  readonly modelShape: ModelShape | null;
  readonly models: readonly ModelInfo[];
  readonly data: DataState;
  readonly preflight: PreflightState;
  readonly runs: RunsSnapshot;
  /** Where a new run goes, and whose queue it waits in. */
  readonly runsFolder: string;
  /** The run that the panel shows and its buttons act on: started here, or opened. */
  readonly runId: string | null;
  /** Whether the page starts with what will be learned from. */
  readonly showsData: boolean;
  readonly fetching: FetchState;
}

/** Download of the small model offered to users who have none. */
export type FetchState =
  | { readonly kind: 'none' }
  | { readonly kind: 'fetching'; readonly done: number; readonly total: number }
  | { readonly kind: 'failed'; readonly message: string };

/** The run config as it stands in its document; the form always shows what the text says. */
export type ConfigDocument =
  /** `config`: the parsed JSON, without defaults, maybe invalid. `throughEdit`: the last `edit` of the form that was handled. */
  | {
      readonly kind: 'parsed';
      readonly config: Readonly<Record<string, unknown>>;
      readonly throughEdit: number;
      readonly name: string;
    }
  /** The text is not a JSON object at the moment, or the file is gone: the form waits. */
  | { readonly kind: 'broken' | 'missing'; readonly message: string; readonly name: string };

/** What is known about the data that the config names; `none` if it names none. */
export type DataState =
  | { readonly kind: 'none' }
  /** The user did not want to wait for them. */
  | { readonly kind: 'cancelled' }
  /** `share`: how much has been read, 0 to 1. */
  | { readonly kind: 'reading'; readonly share: number }
  | { readonly kind: 'ready'; readonly overview: DataOverview }
  | { readonly kind: 'failed'; readonly message: string };

export type PreflightState =
  | { readonly kind: 'none' }
  /** `note` says what is being done, if that takes its time. */
  | { readonly kind: 'running'; readonly note: string | null }
  /** `current` becomes false when a setting changes afterwards. */
  | { readonly kind: 'ready'; readonly report: PreflightReport; readonly current: boolean }
  | { readonly kind: 'failed'; readonly message: string };

export type ToFineTune =
  | { readonly type: 'document'; readonly document: ConfigDocument }
  /** Sent after each change of the document, once it has settled (about 300 ms). */
  | { readonly type: 'checked'; readonly check: ConfigCheck | null; readonly modelShape: ModelShape | null }
  | { readonly type: 'models'; readonly models: readonly ModelInfo[] }
  | { readonly type: 'data'; readonly data: DataState }
  /** Brings to the front what will be learned from. */
  | { readonly type: 'showData' }
  /** The answer to `readExamples`. */
  | { readonly type: 'examples'; readonly page: ExamplePage }
  | { readonly type: 'examplesFailed'; readonly message: string }
  | { readonly type: 'preflight'; readonly preflight: PreflightState }
  | { readonly type: 'shownRun'; readonly runId: string | null }
  | { readonly type: 'startFailed'; readonly message: string }
  | { readonly type: 'fetching'; readonly fetching: FetchState };

/** One change to the document; without a value the key is removed, so that the default applies. */
export interface ConfigEdit {
  readonly path: readonly string[];
  readonly value?: unknown;
}

export type FromFineTune =
  /** `edit` counts up from the document's `throughEdit` (0 at first), where it is echoed even if it could not be applied. */
  | { readonly type: 'edit'; readonly edit: number; readonly edits: readonly ConfigEdit[] }
  /** The host shows a file dialog and changes the document. */
  | { readonly type: 'browse'; readonly setting: BrowsableSetting }
  | { readonly type: 'openJson' }
  /** Replaces a text that cannot be read or is gone by a fresh one; the host keeps the old text. */
  | { readonly type: 'resetDocument' }
  | { readonly type: 'start' }
  /** Plans a sweep with these settings. */
  | { readonly type: 'sweep' }
  /** Stops showing a run and shows what the next one needs instead. */
  | { readonly type: 'leaveRun' }
  | { readonly type: 'fetchSmallModel' }
  | { readonly type: 'cancelFetch' }
  | { readonly type: 'useSampleData' }
  | { readonly type: 'readExamples'; readonly query: ExampleQuery }
  | { readonly type: 'runPreflight' }
  | { readonly type: 'cancelPreflight' }
  /** Stops reading the data until a setting changes or it is asked for again. */
  | { readonly type: 'cancelData' }
  | { readonly type: 'readData' }
  /** Opens the record at `path:line` in an editor. */
  | { readonly type: 'openOrigin'; readonly origin: string };

export type BrowsableSetting = 'model' | 'data.path' | 'data.eval_path' | 'lora.init_from';

const configDocument: Guard<ConfigDocument> = either(
  object<Extract<ConfigDocument, { kind: 'parsed' }>>({
    kind: oneOf('parsed'),
    config: recordOf(anything),
    throughEdit: count,
    name: string,
  }),
  object<Exclude<ConfigDocument, { kind: 'parsed' }>>({ kind: oneOf('broken', 'missing'), message: string, name: string }),
);
const data: Guard<DataState> = either(
  object<Extract<DataState, { kind: 'none' }>>({ kind: oneOf('none') }),
  object<Extract<DataState, { kind: 'cancelled' }>>({ kind: oneOf('cancelled') }),
  object<Extract<DataState, { kind: 'reading' }>>({ kind: oneOf('reading'), share: number }),
  object<Extract<DataState, { kind: 'ready' }>>({ kind: oneOf('ready'), overview: dataOverview }),
  object<Extract<DataState, { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);

const preflight: Guard<PreflightState> = either(
  object<{ kind: 'none' }>({ kind: oneOf('none') }),
  object<Extract<PreflightState, { kind: 'running' }>>({ kind: oneOf('running'), note: nullable(string) }),
  object<Extract<PreflightState, { kind: 'ready' }>>({
    kind: oneOf('ready'),
    report: preflightReport,
    current: boolean,
  }),
  object<Extract<PreflightState, { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);

const fetching: Guard<FetchState> = either(
  object<Extract<FetchState, { kind: 'none' }>>({ kind: oneOf('none') }),
  object<Extract<FetchState, { kind: 'fetching' }>>({ kind: oneOf('fetching'), done: count, total: count }),
  object<Extract<FetchState, { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);
const configEdit: Guard<ConfigEdit> = object<Required<ConfigEdit>>({ path: list(string), value: anything });

export const fineTune: ViewProtocol<FineTuneView> = {
  state: object({
    document: configDocument,
    check: nullable(configCheck),
    modelShape: nullable(modelShape),
    models: list(modelInfo),
    data,
    preflight,
    runs: runsSnapshot,
    runsFolder: string,
    runId: nullable(string),
    showsData: boolean,
    fetching,
  }),
  toWebview: {
    ...toRunViewer,
    document: object({ document: configDocument }),
    checked: object({ check: nullable(configCheck), modelShape: nullable(modelShape) }),
    models: object({ models: list(modelInfo) }),
    data: object({ data }),
    showData: nothing,
    examples: object({ page: examplePage }),
    examplesFailed: object({ message: string }),
    preflight: object({ preflight }),
    shownRun: object({ runId: nullable(string) }),
    startFailed: object({ message: string }),
    fetching: object({ fetching }),
  },
  fromWebview: {
    ...fromRunViewer,
    edit: object({ edit: count, edits: list(configEdit) }),
    browse: object({ setting: oneOf('model', 'data.path', 'data.eval_path', 'lora.init_from') }),
    openJson: nothing,
    resetDocument: nothing,
    start: nothing,
    sweep: nothing,
    leaveRun: nothing,
    fetchSmallModel: nothing,
    cancelFetch: nothing,
    useSampleData: nothing,
    readExamples: object({ query: exampleQuery }),
    runPreflight: nothing,
    cancelPreflight: nothing,
    cancelData: nothing,
    readData: nothing,
    openOrigin: object({ origin: string }),
  },
};
