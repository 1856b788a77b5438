/**
 * @file What host (extension) and webviews say to each other. Plain JSON, checked on arrival by webviewMessages.ts.
 *
 * A webview posts `ready`; the host answers with `hydrate`, a snapshot of the truth, then with increments. The host holds
 * everything; a webview keeps only how it is looked at (tab, zoom, smoothing) and may be thrown away at any time.
 *
 * The host's page needs `<html lang>`, `<body data-view="…">` and nothing in it, `dist/webview/webview.css` (fonts and icons
 * lie beside it), and `dist/webview/<view>.js` as `<script type="module" nonce>`. Content-Security-Policy: default-src 'none';
 * script-src 'nonce-…'; style-src and font-src the webview's cspSource; img-src the cspSource and data: (exported plots).
 */
import type {
  AdapterInfo,
  ConfigCheck,
  GenerateSummary,
  ModelInfo,
  ModelShape,
  PromptTemplate,
  RunEvent,
  RunsSnapshot,
  SamplingSettings,
} from './backend.js';
import type { DataLook, ExamplePage, ExampleQuery, PreflightReport } from './preflight.js';
import type { Metric } from './run.js';
import type { RunConfig } from './runConfig.js';

/** The value of `data-view`, and the name of the script. */
export type WebviewView = keyof WebviewStates;

/** What `hydrate` brings, by view. */
export interface WebviewStates {
  fineTune: FineTuneState;
  monitor: MonitorState;
  playground: PlaygroundState;
  compare: CompareState;
}

export type ToWebview = { [V in WebviewView]: Hydrate<V> }[WebviewView] | ToRunViewer | ToFineTune | ToPlayground;

export interface Hydrate<V extends WebviewView = WebviewView> {
  readonly type: 'hydrate';
  readonly view: V;
  readonly state: WebviewStates[V];
  /** By key of webviewStrings.ts, with {0}, {1} … for what is filled in; a key that is missing shows in English. */
  readonly strings: Readonly<Record<string, string>>;
  /** BCP 47, for numbers and dates: vscode.env.language. */
  readonly locale: string;
}

/** To views that show runs: fineTune, monitor, compare. */
export type ToRunViewer =
  | { readonly type: 'runEvent'; readonly event: RunEvent }
  /**
   * Metrics of a run that the view follows. `first` is the index of metrics[0] among all of the run's metrics: 0 means forget
   * what came before (also after a resumed run replaced metrics.jsonl). All there are come first, in pieces of some
   * thousands, then the new ones at most ten times a second.
   */
  | {
      readonly type: 'metrics';
      readonly runId: string;
      readonly first: number;
      readonly metrics: readonly Metric[];
    }
  /** Once for each followed run, as it was started. */
  | { readonly type: 'runConfig'; readonly runId: string; readonly config: RunConfig };

export interface FineTuneState {
  readonly document: ConfigDocument;
  readonly check: ConfigCheck | null;
  readonly modelShape: ModelShape | null;
  readonly models: readonly ModelInfo[];
  readonly data: DataState;
  readonly preflight: PreflightState;
  readonly runs: RunsSnapshot;
  /** The run that the panel shows and whose buttons act: started here, or opened. */
  readonly runId: string | null;
  readonly fetching: FetchState;
}

/** The small model for those who have none, on its way. */
export type FetchState =
  | { readonly kind: 'none' }
  | { readonly kind: 'fetching'; readonly done: number; readonly total: number }
  | { readonly kind: 'failed'; readonly message: string };

/** The run config as its document has it: what the form shows is what the text says. */
export type ConfigDocument =
  /** `config`: the parsed JSON, defaults not filled in, perhaps invalid. `throughEdit`: the last `edit` of the form that was handled. */
  | {
      readonly kind: 'parsed';
      readonly config: Readonly<Record<string, unknown>>;
      readonly throughEdit: number;
      readonly name: string;
    }
  /** The text is no JSON object at present, or there is no file any more: the form waits. */
  | { readonly kind: 'broken' | 'missing'; readonly message: string; readonly name: string };

/** What is known about the data that the config names; `none` while it names none. */
export type DataState =
  | { readonly kind: 'none' }
  | { readonly kind: 'reading' }
  | { readonly kind: 'ready'; readonly look: DataLook }
  | { readonly kind: 'failed'; readonly message: string };

export type PreflightState =
  | { readonly kind: 'none' }
  | { readonly kind: 'running' }
  /** `current` is false once model, data or length changed after it. */
  | { readonly kind: 'ready'; readonly report: PreflightReport; readonly current: boolean }
  | { readonly kind: 'failed'; readonly message: string };

export type ToFineTune =
  | { readonly type: 'document'; readonly document: ConfigDocument }
  /** After each change of the document, when it came to rest (some 300 ms). */
  | { readonly type: 'checked'; readonly check: ConfigCheck | null; readonly modelShape: ModelShape | null }
  | { readonly type: 'models'; readonly models: readonly ModelInfo[] }
  | { readonly type: 'data'; readonly data: DataState }
  /** The answer to `readExamples`. */
  | { readonly type: 'examples'; readonly page: ExamplePage }
  | { readonly type: 'examplesFailed'; readonly message: string }
  | { readonly type: 'preflight'; readonly preflight: PreflightState }
  | { readonly type: 'shownRun'; readonly runId: string | null }
  | { readonly type: 'startFailed'; readonly message: string }
  | { readonly type: 'fetching'; readonly fetching: FetchState };

export interface MonitorState {
  readonly runs: RunsSnapshot;
  /** False: the workspace is not trusted, nothing can be started. */
  readonly trusted: boolean;
}

export interface CompareState {
  readonly runs: RunsSnapshot;
  /** The runs that were chosen in the command; the view may choose others. */
  readonly runIds: readonly string[];
}

export interface PlaygroundState {
  /** Another number for each panel that is opened: what is remembered of an earlier one, strengths go back to 1. */
  readonly opening: number;
  readonly models: readonly ModelInfo[];
  readonly adapters: readonly AdapterInfo[];
  readonly prefill: Prefill | null;
  /** Prompts that were run, newest first. */
  readonly history: readonly string[];
  /** What the last request got so far, for a page that was away meanwhile. */
  readonly answers: readonly PlaygroundAnswer[];
  /** The prompts of a file, where those are shown. */
  readonly batch: Batch | null;
}

/** What a command fills in; null leaves what is there. */
export interface Prefill {
  readonly model: string | null;
  readonly adapter: string | null;
  readonly prompt: string | null;
  /** Generate at once. */
  readonly run: boolean;
}

/** The two columns of the playground. */
export const playgroundSides = ['left', 'right'] as const;
export type PlaygroundSide = (typeof playgroundSides)[number];

/** Who writes in a column: an adapter, or where it is null the base, which has no strength. */
export interface Voice {
  readonly adapter: string | null;
  /** 0 to 2. */
  readonly strength: number;
}

/** One side's answer to a request. */
export interface PlaygroundAnswer {
  readonly requestId: number;
  readonly side: PlaygroundSide;
  readonly text: string;
  /** null while it is being written. */
  readonly end:
    | { readonly kind: 'generated'; readonly summary: GenerateSummary }
    | { readonly kind: 'failed'; readonly message: string }
    | null;
}

/** Prompts of a file, answered one after another. */
export interface Batch {
  readonly requestId: number;
  /** The file's name. */
  readonly file: string;
  readonly left: Voice;
  readonly right: Voice | null;
  readonly rows: readonly BatchRow[];
  readonly running: boolean;
}

export type BatchRow = { readonly prompt: string } & { readonly [side in PlaygroundSide]: BatchAnswer | null };

export type BatchAnswer =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'failed'; readonly message: string };

export type ToPlayground =
  | { readonly type: 'choices'; readonly models: readonly ModelInfo[]; readonly adapters: readonly AdapterInfo[] }
  | { readonly type: 'prefill'; readonly prefill: Prefill }
  /** By a dialog, for a column. */
  | { readonly type: 'adapterChosen'; readonly side: PlaygroundSide; readonly adapter: string }
  | { readonly type: 'history'; readonly history: readonly string[] }
  | { readonly type: 'token'; readonly requestId: number; readonly side: PlaygroundSide; readonly text: string }
  | {
      readonly type: 'generated';
      readonly requestId: number;
      readonly side: PlaygroundSide;
      readonly summary: GenerateSummary;
    }
  | {
      readonly type: 'generateFailed';
      readonly requestId: number;
      readonly side: PlaygroundSide;
      readonly message: string;
    }
  | { readonly type: 'batch'; readonly batch: Batch | null }
  | {
      readonly type: 'batchAnswer';
      readonly requestId: number;
      readonly row: number;
      readonly side: PlaygroundSide;
      readonly answer: BatchAnswer;
    }
  | { readonly type: 'batchEnded'; readonly requestId: number };

export type FromWebview =
  | { readonly type: 'ready' }
  | FromRunViewer
  | FromFineTune
  | FromPlayground
  /** To the clipboard. */
  | { readonly type: 'copy'; readonly text: string };

export type FromRunViewer =
  /** The whole list of runs whose metrics (and configs) the view wants from now on; each new one is sent from its start. */
  | { readonly type: 'follow'; readonly runIds: readonly string[] }
  | { readonly type: 'runCommand'; readonly runId: string; readonly command: RunCommand }
  /** Ask where to save. A PNG's content is base64. */
  | { readonly type: 'export'; readonly format: 'png' | 'csv'; readonly name: string; readonly content: string }
  /** The command Fine-Tune…. */
  | { readonly type: 'fineTune' }
  /** The command that trusts a workspace. */
  | { readonly type: 'manageTrust' };

/** `open`: the panel with its plots. `playground` and `completion`: with its adapter. */
export type RunCommand = 'pause' | 'resume' | 'stop' | 'open' | 'reveal' | 'showLog' | 'playground' | 'completion';

/** One change of the document; without a value the key is removed, so that the default holds. */
export interface ConfigEdit {
  readonly path: readonly string[];
  readonly value?: unknown;
}

export type FromFineTune =
  /** `edit` counts up from the document's `throughEdit` (0 at first), as which it comes back, even where it could not be applied. */
  | { readonly type: 'edit'; readonly edit: number; readonly edits: readonly ConfigEdit[] }
  /** The host asks with a file dialog and changes the document. */
  | { readonly type: 'browse'; readonly setting: BrowsableSetting }
  | { readonly type: 'openJson' }
  /** Begin anew in place of a text that cannot be read or is gone; the host keeps what there was. */
  | { readonly type: 'resetDocument' }
  | { readonly type: 'start' }
  /** Show no run any more, but what the next one needs. */
  | { readonly type: 'leaveRun' }
  | { readonly type: 'fetchSmallModel' }
  | { readonly type: 'cancelFetch' }
  | { readonly type: 'useSampleData' }
  | { readonly type: 'readExamples'; readonly query: ExampleQuery }
  | { readonly type: 'runPreflight' }
  | { readonly type: 'cancelPreflight' }
  /** `path:line` of a record, into an editor. */
  | { readonly type: 'openOrigin'; readonly origin: string };

export type BrowsableSetting = 'model' | 'data.path' | 'data.eval_path' | 'lora.init_from';

export type FromPlayground =
  | { readonly type: 'generate'; readonly request: PlaygroundRequest; readonly prompt: string }
  /** The host asks which file. */
  | { readonly type: 'generateFile'; readonly request: PlaygroundRequest }
  | { readonly type: 'stopGenerating'; readonly requestId: number }
  /** As JSONL; the host asks where. */
  | { readonly type: 'saveBatch' }
  | { readonly type: 'closeBatch' }
  | { readonly type: 'clearHistory' }
  | { readonly type: 'browseAdapter'; readonly side: PlaygroundSide };

export interface PlaygroundRequest {
  /** Counts up; answers to earlier ones are dropped. */
  readonly requestId: number;
  readonly model: string;
  readonly left: Voice;
  /** null: there is nothing to compare with. */
  readonly right: Voice | null;
  /** `auto`: as the column's adapter was trained; for the base, as the other column's. */
  readonly template: PromptTemplate | 'auto';
  readonly sampling: SamplingSettings;
  readonly maxNewTokens: number;
}
