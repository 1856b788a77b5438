/**
 * @file The messages between extension and backend, over the language server's connection (docs/architecture.md). Plain JSON; a
 * run's id is the absolute path of its directory, and the only thing about it that both sides must agree on.
 */
import type { CompletionReport } from './completionReport.js';
import type { EvaluateCompletionProgress, EvaluateCompletionRequest, EvaluateSweepRequest } from './evaluateCompletion.js';
import type { ExportProgress, ExportRequest, ExportResult } from './export.js';
import type { LeakProbeRequest, LeakReport } from './leakProbe.js';
import type { MergeRequest, MergeResult } from './mergeAdapters.js';
import type {
  AdapterSpectrum,
  IntruderReport,
  IntruderRequest,
  RankLossReport,
  RankLossRequest,
  SimilarityGrids,
  SimilarityRequest,
  SpectrumRequest,
} from './spectrum.js';
import type { DataOverview, ExamplePage, ExampleQuery, PreflightReport } from './preflight.js';
import type { Metric, RunControl, RunLabels, RunState, Sample, StepMetric } from './run.js';
import type { RunConfig } from './runConfig.js';
import type { SweepReport, SweepRequest } from './sweep.js';
import type { ConfigProblem } from './validateRunConfig.js';

/** Raised when a message changes its meaning. Both sides ship in one package, so a mismatch means a broken installation. */
export const protocolVersion = 1;

/** initializationOptions of the language server. */
export interface BackendOptions extends BackendSettings {
  readonly protocolVersion: number;
}

/** The extension's settings that concern the backend; sent again when they change. */
export interface BackendSettings {
  /** Folders to search for runs; new ones go into the first. */
  readonly runsFolders: readonly string[];
  /** Folders to search for models and adapters, besides the cache. */
  readonly modelFolders: readonly ModelFolder[];
  readonly device: 'auto' | 'cpu' | 'webgpu';
  /** Null means the engine decides. */
  readonly threads: number | null;
  /** The token of the model hub that the user has entered in VS Code. */
  readonly hubToken: string | null;
  /** VS Code's http.proxy. */
  readonly proxy: string | null;
}

export interface ModelFolder {
  readonly path: string;
  readonly source: ModelSource;
}

/** Where a model was found; the last three are the stores of other programs: the model hub's tools, Ollama and LM Studio. */
export const modelSources = ['cache', 'workspace', 'added', 'hub', 'ollama', 'lmstudio'] as const;
export type ModelSource = (typeof modelSources)[number];

export interface RunSummary {
  readonly runId: string;
  /** The absolute path of the sweep's folder; null if it belongs to none. */
  readonly sweepId: string | null;
  /** The user's name for the run, else its default name (runName.ts). */
  readonly name: string;
  readonly labels: RunLabels;
  readonly model: string;
  readonly dataPath: string;
  readonly rank: number;
  readonly state: RunState;
  /** Held-out loss before the first step. */
  readonly firstEvalLoss: number | null;
  /** The last logged training step. */
  readonly lastStep: StepMetric | null;
  /** Whether adapter/ exists and can be used. */
  readonly hasAdapter: boolean;
}

/** A change to a run. `seq` counts the events since the backend started; a snapshot tells which ones it includes. */
export type RunEvent = { readonly seq: number } & (
  { readonly kind: 'changed'; readonly run: RunSummary } | { readonly kind: 'removed'; readonly runId: string }
);

export interface RunsSnapshot {
  /** Newest first. */
  readonly runs: readonly RunSummary[];
  /** `seq` of the last event included in the snapshot. */
  readonly throughSeq: number;
}

/** A chunk of a followed run's metrics: first the existing ones, in large chunks, then new ones at most ten times a second. */
export interface FollowedMetrics {
  /** Chosen by the follower. */
  readonly followId: string;
  /** True if metrics.jsonl was replaced (by a resumed run): forget what came before. */
  readonly replaced: boolean;
  readonly metrics: readonly Metric[];
}

/** Sample outputs (samples.jsonl) of a followed run, sent in the same way. */
export interface FollowedSamples {
  readonly followId: string;
  readonly replaced: boolean;
  readonly samples: readonly Sample[];
}

export interface ModelInfo {
  readonly path: string;
  readonly name: string;
  readonly kind: 'huggingface' | 'meta' | 'gguf';
  readonly source: ModelSource;
  readonly sizeBytes: number;
}

/** The usable models, those of this program first, then by name, and adapters, newest first. */
export interface FoundModels {
  readonly models: readonly ModelInfo[];
  readonly adapters: readonly AdapterInfo[];
}

/** A model of the hub that is good to begin with. */
export interface RecommendedModel {
  /** OWNER/NAME. */
  readonly name: string;
  /** `code` models complete code and have learned to fill in the middle. */
  readonly purpose: 'chat' | 'code';
  readonly parameters: number;
  readonly downloadBytes: number;
  readonly licence: string;
  /** Whether its owner must agree before it can be downloaded. */
  readonly isGated: boolean;
  /** Peak of a run with the usual settings on this machine's CPU, and whether that fits now. */
  readonly trainingBytes: number;
  readonly isTrainable: boolean;
}

/** A model of the hub: OWNER/NAME, OWNER/NAME@REVISION, OWNER/NAME:QUANTIZATION or the address of its page. */
export interface HubModel {
  readonly name: string;
  /** Null means that of the environment or of the last login, if any. */
  readonly token: string | null;
}

export type HubPlan =
  | {
      readonly kind: 'plan';
      readonly name: string;
      /** Null if its authors do not say. */
      readonly licence: string | null;
      readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
      readonly totalBytes: number;
      /** What is not in the cache yet. */
      readonly missingBytes: number;
      readonly folder: string;
    }
  /** A token may help; its owner is given access on the page. */
  | { readonly kind: 'refused'; readonly message: string; readonly accessPage: string };

export interface InspectedModels {
  /** Paths of the usable models. */
  readonly models: readonly string[];
  /** Why the first unusable one cannot be used. */
  readonly problem: string | null;
}

export interface AdapterInfo {
  /** Folder in PEFT's format. */
  readonly path: string;
  readonly name: string;
  /** Path or name, as in adapter_config.json. */
  readonly baseModel: string;
  readonly rank: number;
  readonly alpha: number;
  readonly targetModules: readonly string[];
  readonly sizeBytes: number;
  /** When its parameters were written, in milliseconds since 1970. */
  readonly modifiedAt: number;
  /** The run of this workspace that made it; null if it came from elsewhere. */
  readonly run: AdapterRun | null;
}

export interface AdapterRun {
  readonly dataPath: string;
  /** The best that the run reached; null if nothing was held out. */
  readonly heldOutLoss: number | null;
}

/** The estimate for a run config before anything is loaded, from the headers of the model's files. */
export interface RunEstimate {
  /** Peak of the training process. */
  readonly peakMemoryBytes: number;
  /** GPU memory, whose free amount cannot be queried; 0 when training on the CPU. */
  readonly deviceMemoryBytes: number;
  /** What a process can use on this machine now. */
  readonly availableMemoryBytes: number;
  /** If that is less than the peak: up to three ways to make the run fit, cheapest first. */
  readonly remedies: readonly MemoryRemedy[];
  /** Based on the pace of the last pre-flight or run with this model; null if there has been none. */
  readonly secondsPerStep: number | null;
}

/** Settings to change together, and the resulting peak. */
export interface MemoryRemedy {
  readonly changes: readonly { readonly setting: string; readonly from: string; readonly to: string }[];
  readonly peakMemoryBytes: number;
}

/** A run config as it is being written. */
export interface ConfigText {
  readonly config: unknown;
  /** The file it belongs to; relative paths start at its folder. */
  readonly path: string;
}

export type ConfigCheck =
  | { readonly ok: true; readonly config: RunConfig; readonly estimate: RunEstimate }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** What the number of trainable parameters depends on, so that a form can update it as settings change. */
export interface ModelShape {
  /** The config's `model` that this describes. */
  readonly model: string;
  readonly layerCount: number;
  readonly totalParameters: number;
  /** [out, in] of each linear in a layer, by target module. */
  readonly linears: Readonly<Record<string, readonly [number, number]>>;
}

export interface SamplingSettings {
  /** 0 means always the most likely token. */
  readonly temperature: number;
  /** 0 turns it off. */
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

/** How a prompt is wrapped for the model: as the user's message, as an instruction, or not at all. */
export const promptTemplates = ['chat', 'alpaca', 'none'] as const;
export type PromptTemplate = (typeof promptTemplates)[number];

export type Prompt =
  /** `auto` is the template that `adapter` was trained with, else the model's default. */
  | { readonly kind: 'text'; readonly text: string; readonly template: PromptTemplate | 'auto'; readonly adapter: string | null }
  | { readonly kind: 'chat'; readonly messages: readonly ChatMessage[] };

export interface GenerateParams {
  /** Chosen by the caller; identifies the stream in generate/token. */
  readonly streamId: string;
  readonly model: string;
  /** Null means the base model alone. */
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
  /** How the prompt was wrapped. */
  readonly template: PromptTemplate;
}

/** How ghost text is generated; a null model turns it off. */
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
  /** Tells the model parts of other files of the workspace, too. */
  readonly retrieval: boolean;
}

/** `auto`: what the model has learned. `none`: only the text before the cursor. Otherwise a format's name, or custom markers. */
export type FillInTheMiddleChoice = string | FillInTheMiddleMarkers;

export interface FillInTheMiddleMarkers {
  readonly prefix?: string;
  readonly suffix?: string;
  readonly middle?: string;
  readonly end?: string;
  /** PSM is prefix, suffix, middle; SPM is suffix, prefix, middle. */
  readonly order?: 'PSM' | 'SPM';
}

/** `line` stops at the end of the line, `block` at the end of the block; `auto` chooses `block` after a line that opens one. */
export type CompletionMode = 'auto' | 'line' | 'block';

export type CompletionStatus =
  | { readonly kind: 'off' }
  | { readonly kind: 'loading' }
  /** `last` is the latest suggestion, once there has been one. */
  | { readonly kind: 'ready'; readonly last: LastCompletion | null }
  | { readonly kind: 'failed'; readonly message: string };

export interface LastCompletion {
  readonly latencyMs: number;
  /** The format in which the model also reads the text after the cursor; null if it reads only the text before it. */
  readonly fillInTheMiddle: string | null;
  /** How many parts of other files the model was told. */
  readonly retrieved: number;
  /** "CPU, 2 threads, int8 weights". */
  readonly engine: string;
  /** Says that another device took over, and why. */
  readonly warning: string | null;
}

/** A request that takes a while. */
export type WithWorkId<Request> = Request & {
  /** Chosen by the caller; identifies the request in work/progress. */
  readonly workId: string;
};

/** How far a request has come: `done` of `total` in this stage. */
export interface WorkProgress {
  readonly workId: string;
  readonly stage: ExportProgress['stage'] | 'merging' | 'analyzing' | EvaluateCompletionProgress['stage'];
  readonly done: number;
  readonly total: number;
}

/** What the endpoint for other tools serves, and where: on this machine alone. */
export interface EndpointParams {
  readonly model: string;
  /** The names are the ones that other tools ask for. */
  readonly adapters: readonly { readonly path: string; readonly name: string }[];
  readonly port: number;
  readonly apiKey: string;
}

export interface EndpointInfo {
  /** For example "http://127.0.0.1:8012". */
  readonly url: string;
  /** The names of the base and its adapters. */
  readonly models: readonly string[];
}

/** Requests from the extension, by method. They fail with a ResponseError whose message is meant for users. */
export interface BackendRequests {
  'loraWorkbench/runs/list': { params: null; result: RunsSnapshot };
  /** From here on, what the run writes arrives as runs/metrics and runs/samples, until it is unfollowed. */
  'loraWorkbench/runs/follow': { params: { runId: string; followId: string }; result: null };
  'loraWorkbench/runs/unfollow': { params: { followId: string }; result: null };
  'loraWorkbench/runs/config': { params: { runId: string }; result: RunConfig };
  /** Puts a new run into the queue of its folder, which a process of its own trains. */
  'loraWorkbench/runs/start': { params: ConfigText; result: { runId: string } };
  /** A paused run continues; a stopped, interrupted or failed one waits in the queue, to go on from its last checkpoint. */
  'loraWorkbench/runs/resume': { params: { runId: string }; result: null };
  /** Trains a waiting run at once, beside whatever is trained. */
  'loraWorkbench/runs/startNow': { params: { runId: string }; result: null };
  /** Takes waiting runs out of the queue. */
  'loraWorkbench/runs/dequeue': { params: { runIds: readonly string[] }; result: null };
  'loraWorkbench/runs/control': { params: { runId: string; command: RunControl['command'] }; result: null };
  'loraWorkbench/runs/label': { params: { runId: string; labels: RunLabels }; result: null };
  'loraWorkbench/models/list': { params: null; result: FoundModels };
  /** Reports what a folder or file to be imported contains; adds nothing. */
  'loraWorkbench/models/inspect': { params: { path: string }; result: InspectedModels };
  /** Downloads SmolLM2-135M-Instruct into the cache, for users who have no model; can be cancelled. */
  'loraWorkbench/models/fetchSmall': { params: null; result: { path: string } };
  'loraWorkbench/hub/recommended': { params: null; result: readonly RecommendedModel[] };
  /** Says what downloading a model would mean; can be cancelled. */
  'loraWorkbench/hub/plan': { params: HubModel; result: HubPlan };
  /** Downloads it into the cache that all tools of the hub share; can be cancelled, and continues what was cancelled. */
  'loraWorkbench/hub/download': { params: HubModel; result: { path: string } };
  /** Checks schema and paths, and estimates the run. */
  'loraWorkbench/config/check': { params: ConfigText; result: { check: ConfigCheck; modelShape: ModelShape | null } };
  /** Reads and counts the data; can be cancelled. */
  'loraWorkbench/data/overview': { params: ConfigText; result: DataOverview };
  /** A page of the examples as the model will see them. */
  'loraWorkbench/data/examples': { params: { text: ConfigText; query: ExampleQuery }; result: ExamplePage };
  /** Reads the data and measures a step, which takes a while; can be cancelled. */
  'loraWorkbench/preflight': { params: ConfigText; result: PreflightReport };
  'loraWorkbench/generate': { params: GenerateParams; result: GenerateSummary };
  /** Writes a model or adapter for use elsewhere and compares it; can be cancelled. */
  'loraWorkbench/export': { params: WithWorkId<ExportRequest>; result: ExportResult };
  /** Adds adapters into a new one; can be cancelled. */
  'loraWorkbench/adapters/merge': { params: WithWorkId<MergeRequest>; result: MergeResult };
  /** Decomposes what an adapter adds to each weight; can be cancelled. */
  'loraWorkbench/adapters/spectrum': { params: WithWorkId<SpectrumRequest>; result: AdapterSpectrum };
  'loraWorkbench/adapters/similarity': { params: WithWorkId<SimilarityRequest>; result: SimilarityGrids };
  /** Takes a second or a minute, by the size of the matrix; can be cancelled. */
  'loraWorkbench/adapters/intruders': { params: WithWorkId<IntruderRequest>; result: IntruderReport };
  /** Measures lower ranks on held-out data; can be cancelled. */
  'loraWorkbench/adapters/rankLosses': { params: WithWorkId<RankLossRequest>; result: RankLossReport };
  /** Looks for training text that an adapter gives away; can be cancelled. */
  'loraWorkbench/adapters/leakProbe': { params: WithWorkId<LeakProbeRequest>; result: LeakReport };
  /** Compares a run's adapter with others on code they have not seen, and writes the report; can be cancelled, and is continued. */
  'loraWorkbench/completion/evaluate': { params: WithWorkId<EvaluateCompletionRequest>; result: null };
  /** The last report of a run or a sweep, and null if there is none. */
  'loraWorkbench/completion/report': { params: { runId: string }; result: CompletionReport | null };
  /** Makes a sweep and puts its runs into the queue. */
  'loraWorkbench/sweeps/start': { params: { text: ConfigText } & Omit<SweepRequest, 'config'>; result: { sweepId: string } };
  /** `sweepId` is the absolute path of the sweep's folder. */
  'loraWorkbench/sweeps/report': { params: { sweepId: string }; result: SweepReport };
  /** Compares how the adapters of a sweep complete code they have not seen; can be cancelled, and is continued. */
  'loraWorkbench/sweeps/evaluate': { params: WithWorkId<EvaluateSweepRequest>; result: null };
  'loraWorkbench/tokenCount': { params: { model: string; text: string }; result: { tokens: number } };
  'loraWorkbench/completion/configure': { params: CompletionSettings; result: null };
  /** Loads the model in a process of its own and answers other tools; a previous endpoint ends. */
  'loraWorkbench/endpoint/start': { params: EndpointParams; result: EndpointInfo };
  'loraWorkbench/endpoint/stop': { params: null; result: null };
  'loraWorkbench/settings': { params: BackendSettings; result: null };
  /** The output of the command line's doctor. */
  'loraWorkbench/doctor': { params: null; result: { report: string } };
}

/** Notifications from the backend, by method. */
export interface BackendNotifications {
  'loraWorkbench/runs/event': RunEvent;
  'loraWorkbench/runs/metrics': FollowedMetrics;
  'loraWorkbench/runs/samples': FollowedSamples;
  'loraWorkbench/models/changed': null;
  /** Bytes so far and in total of a model that is being downloaded; `name` is the one of the request, null the small model. */
  'loraWorkbench/models/fetching': { readonly name: string | null; readonly done: number; readonly total: number };
  /** How much has been read of the data that an overview was asked of, 0 to 1. */
  'loraWorkbench/data/reading': { readonly share: number };
  /** What the pre-flight is doing, such as how much of the data is downloaded. */
  'loraWorkbench/preflight/note': { readonly text: string };
  'loraWorkbench/work/progress': WorkProgress;
  /** The endpoint's process has ended by itself. */
  'loraWorkbench/endpoint/ended': { readonly message: string };
  'loraWorkbench/generate/token': { readonly streamId: string; readonly text: string };
  'loraWorkbench/completion/status': CompletionStatus;
}

export type RequestMethod = keyof BackendRequests;
export type NotificationMethod = keyof BackendNotifications;
