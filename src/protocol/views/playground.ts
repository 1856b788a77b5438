/** @file The playground: its state, and the messages between host and page. */
import {
  promptTemplates,
  type AdapterInfo,
  type GenerateSummary,
  type ModelInfo,
  type PromptTemplate,
  type SamplingSettings,
} from '../backend.js';
import { adapterInfo, modelInfo } from '../catalogGuards.js';
import { boolean, count, either, list, nullable, number, object, oneOf, string, type Guard } from '../guard.js';
import { nothing, type ViewProtocol } from './view.js';

export interface PlaygroundView {
  readonly state: PlaygroundState;
  readonly toWebview: ToPlayground;
  readonly fromWebview: FromPlayground;
}

export interface PlaygroundState {
  /** Different for each panel that is opened; in a view state remembered from an earlier panel, strengths go back to 1. */
  readonly opening: number;
  readonly models: readonly ModelInfo[];
  readonly adapters: readonly AdapterInfo[];
  readonly prefill: Prefill | null;
  /** Prompts that were run, newest first. */
  readonly history: readonly string[];
  /** The answers to the last request so far, for a page that was hidden in the meantime. */
  readonly answers: readonly PlaygroundAnswer[];
  /** The prompts of a file and their answers; null when no file is shown. */
  readonly batch: Batch | null;
}

/** Values filled in by a command; null leaves the current value. */
export interface Prefill {
  readonly model: string | null;
  readonly adapter: string | null;
  readonly prompt: string | null;
  /** Whether to generate at once. */
  readonly run: boolean;
}

/** The two columns of the playground. */
export const playgroundSides = ['left', 'right'] as const;
export type PlaygroundSide = (typeof playgroundSides)[number];

/** What writes in a column: an adapter, or the base model if `adapter` is null (which has no strength). */
export interface Variant {
  readonly adapter: string | null;
  /** 0 to 2. */
  readonly strength: number;
}

/** One side's answer to a request. */
export interface PlaygroundAnswer {
  readonly requestId: number;
  readonly side: PlaygroundSide;
  readonly text: string;
  /** Null while the answer is being written. */
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
  readonly left: Variant;
  readonly right: Variant | null;
  readonly rows: readonly BatchRow[];
  readonly running: boolean;
}

export type BatchRow = { readonly prompt: string } & { readonly [side in PlaygroundSide]: BatchAnswer | null };

export type BatchAnswer =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'failed'; readonly message: string };

export type ToPlayground =
  | { readonly type: 'choices'; readonly models: readonly ModelInfo[]; readonly adapters: readonly AdapterInfo[] }
  | { readonly type: 'prefill'; readonly prefill: Prefill }
  /** The user picked an adapter for a column in a dialog. */
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

export type FromPlayground =
  | { readonly type: 'generate'; readonly request: PlaygroundRequest; readonly prompt: string }
  /** The host asks for the file. */
  | { readonly type: 'generateFile'; readonly request: PlaygroundRequest }
  | { readonly type: 'stopGenerating'; readonly requestId: number }
  /** Saves the batch as JSONL; the host asks where. */
  | { readonly type: 'saveBatch' }
  | { readonly type: 'closeBatch' }
  | { readonly type: 'clearHistory' }
  | { readonly type: 'browseAdapter'; readonly side: PlaygroundSide };

export interface PlaygroundRequest {
  /** Increases with each request; answers to earlier ones are dropped. */
  readonly requestId: number;
  readonly model: string;
  readonly left: Variant;
  /** Null if there is nothing to compare with. */
  readonly right: Variant | null;
  /** `auto` is the template that the column's adapter was trained with; the base uses that of the other column. */
  readonly template: PromptTemplate | 'auto';
  readonly sampling: SamplingSettings;
  readonly maxNewTokens: number;
}

const prefill: Guard<Prefill> = object({
  model: nullable(string),
  adapter: nullable(string),
  prompt: nullable(string),
  run: boolean,
});
const side = oneOf(...playgroundSides);
const variant: Guard<Variant> = object({ adapter: nullable(string), strength: number });
const generateSummary: Guard<GenerateSummary> = object({
  tokens: count,
  tokensPerSecond: number,
  firstTokenMs: number,
  reason: oneOf('end', 'length', 'stopped'),
  template: oneOf(...promptTemplates),
});
const answerEnd: Guard<NonNullable<PlaygroundAnswer['end']>> = either(
  object<Extract<PlaygroundAnswer['end'], { kind: 'generated' }>>({ kind: oneOf('generated'), summary: generateSummary }),
  object<Extract<PlaygroundAnswer['end'], { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);
const answer: Guard<PlaygroundAnswer> = object({ requestId: count, side, text: string, end: nullable(answerEnd) });
const batchAnswer: Guard<BatchAnswer> = either(
  object<Extract<BatchAnswer, { kind: 'text' }>>({ kind: oneOf('text'), text: string }),
  object<Extract<BatchAnswer, { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);
const batch: Guard<Batch> = object({
  requestId: count,
  file: string,
  left: variant,
  right: nullable(variant),
  rows: list(object<BatchRow>({ prompt: string, left: nullable(batchAnswer), right: nullable(batchAnswer) })),
  running: boolean,
});

const sampling: Guard<SamplingSettings> = object({
  temperature: number,
  topK: count,
  topP: number,
  minP: number,
  repetitionPenalty: number,
  seed: count,
});
const playgroundRequest: Guard<PlaygroundRequest> = object({
  requestId: count,
  model: string,
  left: variant,
  right: nullable(variant),
  template: oneOf('auto', ...promptTemplates),
  sampling,
  maxNewTokens: count,
});

export const playground: ViewProtocol<PlaygroundView> = {
  state: object({
    opening: count,
    models: list(modelInfo),
    adapters: list(adapterInfo),
    prefill: nullable(prefill),
    history: list(string),
    answers: list(answer),
    batch: nullable(batch),
  }),
  toWebview: {
    choices: object({ models: list(modelInfo), adapters: list(adapterInfo) }),
    prefill: object({ prefill }),
    adapterChosen: object({ side, adapter: string }),
    history: object({ history: list(string) }),
    token: object({ requestId: count, side, text: string }),
    generated: object({ requestId: count, side, summary: generateSummary }),
    generateFailed: object({ requestId: count, side, message: string }),
    batch: object({ batch: nullable(batch) }),
    batchAnswer: object({ requestId: count, row: count, side, answer: batchAnswer }),
    batchEnded: object({ requestId: count }),
  },
  fromWebview: {
    generate: object({ request: playgroundRequest, prompt: string }),
    generateFile: object({ request: playgroundRequest }),
    stopGenerating: object({ requestId: count }),
    saveBatch: nothing,
    closeBatch: nothing,
    clearHistory: nothing,
    browseAdapter: object({ side }),
  },
};
