/**
 * @file What extension and backend say to each other, over the language server's connection (docs/architecture.md). Plain JSON;
 * a run's id is the absolute path of its directory, and the only thing about it that both sides must agree on.
 */
import type { DataOverview, ExamplePage, ExampleQuery, PreflightReport } from './preflight.js';
import type { Metric, RunControl, RunLabels, RunState, Sample, StepMetric } from './run.js';
import type { RunConfig } from './runConfig.js';
import type { ConfigProblem } from './validateRunConfig.js';

/** Raised when a message changes its meaning; both sides come from one package, so a difference is a broken installation. */
export const protocolVersion = 1;

/** initializationOptions of the language server. */
export interface BackendOptions extends BackendSettings {
  readonly protocolVersion: number;
}

/** What the extension's settings come to; sent again when they change. */
export interface BackendSettings {
  /** Where runs are looked for; new ones go into the first. */
  readonly runsFolders: readonly string[];
  /** Where models and adapters are looked for, besides the cache. */
  readonly modelFolders: readonly ModelFolder[];
  readonly device: 'auto' | 'cpu' | 'webgpu';
  /** null: the engine decides. */
  readonly threads: number | null;
}

export interface ModelFolder {
  readonly path: string;
  readonly source: ModelSource;
}

export type ModelSource = 'cache' | 'workspace' | 'added';

export interface RunSummary {
  readonly runId: string;
  /** As its user named it, else what it is. */
  readonly name: string;
  readonly labels: RunLabels;
  readonly model: string;
  readonly dataPath: string;
  readonly rank: number;
  readonly state: RunState;
  /** The held-out loss before the first step. */
  readonly firstEvalLoss: number | null;
  /** The last training step logged. */
  readonly lastStep: StepMetric | null;
  /** Whether adapter/ is there to be used. */
  readonly hasAdapter: boolean;
}

/** Something happened to a run. `seq` counts the events since the backend started; a snapshot says how far it goes. */
export type RunEvent = { readonly seq: number } & (
  { readonly kind: 'changed'; readonly run: RunSummary } | { readonly kind: 'removed'; readonly runId: string }
);

export interface RunsSnapshot {
  /** Newest first. */
  readonly runs: readonly RunSummary[];
  /** Events up to here are in the snapshot. */
  readonly throughSeq: number;
}

/** A piece of the metrics of a followed run: first all there are, in large pieces, then the new ones, at most ten times a second. */
export interface FollowedMetrics {
  /** As chosen by whoever follows. */
  readonly followId: string;
  /** True when metrics.jsonl was replaced (a resumed run): forget what came before. */
  readonly replaced: boolean;
  readonly metrics: readonly Metric[];
}

/** Sample outputs of a followed run, in the same way (samples.jsonl). */
export interface FollowedSamples {
  readonly followId: string;
  readonly replaced: boolean;
  readonly samples: readonly Sample[];
}

export interface ModelInfo {
  readonly path: string;
  readonly name: string;
  readonly kind: 'huggingface' | 'gguf';
  readonly source: ModelSource;
  readonly sizeBytes: number;
}

/** The models and adapters that can be used, by name. */
export interface FoundModels {
  readonly models: readonly ModelInfo[];
  readonly adapters: readonly AdapterInfo[];
}

export interface InspectedModels {
  /** Paths of those that can be used. */
  readonly models: readonly string[];
  /** Why one of the others cannot: the first. */
  readonly problem: string | null;
}

export interface AdapterInfo {
  /** Folder in PEFT's format. */
  readonly path: string;
  readonly name: string;
  /** As adapter_config.json says: a path or a name. */
  readonly baseModel: string;
  readonly rank: number;
  readonly alpha: number;
  readonly targetModules: readonly string[];
  readonly sizeBytes: number;
  /** When its parameters were written, in milliseconds since 1970. */
  readonly modifiedAt: number;
  /** The run of this workspace that made it; null for one that came from elsewhere. */
  readonly run: AdapterRun | null;
}

export interface AdapterRun {
  readonly dataPath: string;
  /** The best that the run reached; null where nothing was held out. */
  readonly heldOutLoss: number | null;
}

/** What a run config comes to before anything is loaded: from the headers of the model's files. */
export interface RunEstimate {
  /** Of the training process. */
  readonly peakMemoryBytes: number;
  /** Of a GPU, which does not tell what it has free; 0 where the CPU trains. */
  readonly deviceMemoryBytes: number;
  /** What a process may take on this machine now. */
  readonly availableMemoryBytes: number;
  /** Where that is less: up to three ways to make it fit, cheapest first. */
  readonly remedies: readonly MemoryRemedy[];
  /** From the pace of the last pre-flight or run with this model; null before there was one. */
  readonly secondsPerStep: number | null;
}

/** Settings changed together, and what they bring the peak down to. */
export interface MemoryRemedy {
  readonly changes: readonly { readonly setting: string; readonly from: string; readonly to: string }[];
  readonly peakMemoryBytes: number;
}

/** A run config as it is being written. */
export interface ConfigText {
  readonly config: unknown;
  /** The file it belongs to: relative paths start at its folder. */
  readonly path: string;
}

export type ConfigCheck =
  | { readonly ok: true; readonly config: RunConfig; readonly estimate: RunEstimate }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** What the count of trainable parameters depends on, so that a form can tell it while settings move. */
export interface ModelShape {
  /** The config's `model` this belongs to. */
  readonly model: string;
  readonly layerCount: number;
  readonly totalParameters: number;
  /** [out, in] of the linears of a layer, by target module. */
  readonly linears: Readonly<Record<string, readonly [number, number]>>;
}

export interface SamplingSettings {
  /** 0: always the most likely token. */
  readonly temperature: number;
  /** 0: off. */
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly seed: number;
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** How a prompt is dressed before the model reads it: as the user's message, as an instruction, or not at all. */
export const promptTemplates = ['chat', 'alpaca', 'none'] as const;
export type PromptTemplate = (typeof promptTemplates)[number];

export type Prompt =
  /** `auto`: as `adapter` was trained, else as the model wants it. */
  | { readonly kind: 'text'; readonly text: string; readonly template: PromptTemplate | 'auto'; readonly adapter: string | null }
  | { readonly kind: 'chat'; readonly messages: readonly ChatMessage[] };

export interface GenerateParams {
  /** Chosen by whoever asks; names the stream in generate/token. */
  readonly streamId: string;
  readonly model: string;
  /** null: the base model alone. */
  readonly adapter: string | null;
  readonly adapterStrength: number;
  readonly prompt: Prompt;
  readonly sampling: SamplingSettings;
  readonly maxNewTokens: number;
}

export interface GenerateSummary {
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly firstTokenMs: number;
  readonly reason: 'end' | 'length' | 'stopped';
  /** How the prompt was dressed. */
  readonly template: PromptTemplate;
}

/** How ghost text is made; null model: not at all. */
export interface CompletionSettings {
  readonly model: string | null;
  readonly adapter: string | null;
  readonly adapterStrength: number;
  /** VS Code language ids, or ["*"]. */
  readonly languages: readonly string[];
  readonly mode: CompletionMode;
  readonly fillInTheMiddle: FillInTheMiddleChoice;
  readonly debounceMs: number;
  readonly maxNewTokens: number;
}

/** `auto`: what the model has learned. `none`: only what stands before the cursor. Else a format's name, or markers of one's own. */
export type FillInTheMiddleChoice = string | FillInTheMiddleMarkers;

export interface FillInTheMiddleMarkers {
  readonly prefix?: string;
  readonly suffix?: string;
  readonly middle?: string;
  readonly end?: string;
  /** Prefix, suffix, middle, or suffix, prefix, middle. */
  readonly order?: 'PSM' | 'SPM';
}

/** line: to the end of the line. block: until the block ends. auto: a block after a line that opens one, else a line. */
export type CompletionMode = 'auto' | 'line' | 'block';

export type CompletionStatus =
  | { readonly kind: 'off' }
  | { readonly kind: 'loading' }
  /** `last`: the last suggestion, once there was one. */
  | { readonly kind: 'ready'; readonly last: LastCompletion | null }
  | { readonly kind: 'failed'; readonly message: string };

export interface LastCompletion {
  readonly latencyMs: number;
  /** The format in which the model read what stands behind the cursor, too; null: it reads only what stands before. */
  readonly fillInTheMiddle: string | null;
  /** "CPU, 2 threads, int8 weights". */
  readonly engine: string;
  /** That another device took over, and why. */
  readonly warning: string | null;
}

/** Requests of the extension by method. They fail with a ResponseError whose message is for people. */
export interface BackendRequests {
  'loraWorkbench/runs/list': { params: null; result: RunsSnapshot };
  /** From here on what the run writes arrives as runs/metrics and runs/samples, until unfollowed. */
  'loraWorkbench/runs/follow': { params: { runId: string; followId: string }; result: null };
  'loraWorkbench/runs/unfollow': { params: { followId: string }; result: null };
  'loraWorkbench/runs/config': { params: { runId: string }; result: RunConfig };
  /** Starts a trainer of its own in a new run directory. */
  'loraWorkbench/runs/start': { params: ConfigText; result: { runId: string } };
  /** A paused run goes on; for a stopped, interrupted or failed one a trainer starts at the last checkpoint. */
  'loraWorkbench/runs/resume': { params: { runId: string }; result: null };
  'loraWorkbench/runs/control': { params: { runId: string; command: RunControl['command'] }; result: null };
  'loraWorkbench/runs/label': { params: { runId: string; labels: RunLabels }; result: null };
  'loraWorkbench/models/list': { params: null; result: FoundModels };
  /** What a folder or file that somebody wants to import holds; adds nothing. */
  'loraWorkbench/models/inspect': { params: { path: string }; result: InspectedModels };
  /** Fetches SmolLM2-135M-Instruct into the cache, for those who have no model; can be cancelled. */
  'loraWorkbench/models/fetchSmall': { params: null; result: { path: string } };
  /** Schema, paths, and what the configuration comes to. */
  'loraWorkbench/config/check': { params: ConfigText; result: { check: ConfigCheck; modelShape: ModelShape | null } };
  /** Reads and counts the data; can be cancelled. */
  'loraWorkbench/data/overview': { params: ConfigText; result: DataOverview };
  /** A page of the examples as the model will see them. */
  'loraWorkbench/data/examples': { params: { text: ConfigText; query: ExampleQuery }; result: ExamplePage };
  /** Reads the data, measures a step. Takes as long as that; can be cancelled. */
  'loraWorkbench/preflight': { params: ConfigText; result: PreflightReport };
  'loraWorkbench/generate': { params: GenerateParams; result: GenerateSummary };
  'loraWorkbench/tokenCount': { params: { model: string; text: string }; result: { tokens: number } };
  'loraWorkbench/completion/configure': { params: CompletionSettings; result: null };
  'loraWorkbench/settings': { params: BackendSettings; result: null };
  /** What the command line's doctor says. */
  'loraWorkbench/doctor': { params: null; result: { report: string } };
}

/** What the backend tells by itself, by method. */
export interface BackendNotifications {
  'loraWorkbench/runs/event': RunEvent;
  'loraWorkbench/runs/metrics': FollowedMetrics;
  'loraWorkbench/runs/samples': FollowedSamples;
  'loraWorkbench/models/changed': null;
  /** Bytes so far of the whole, of the model that is being fetched. */
  'loraWorkbench/models/fetching': { readonly done: number; readonly total: number };
  'loraWorkbench/generate/token': { readonly streamId: string; readonly text: string };
  'loraWorkbench/completion/status': CompletionStatus;
}

export type RequestMethod = keyof BackendRequests;
export type NotificationMethod = keyof BackendNotifications;
