/** @file What backend and workers say to each other. */
import { NotificationType, RequestType } from 'vscode-languageserver/node';
import type { Insertion } from '../complete/insertion.js';
import type {
  BackendSettings,
  CompletionMode,
  FillInTheMiddleChoice,
  GenerateParams,
  GenerateSummary,
} from '../protocol/backend.js';
import type { DataOverview, ExamplePage, ExampleQuery, PreflightReport } from '../protocol/preflight.js';
import type { RunConfig } from '../protocol/runConfig.js';

export type EngineChoice = Pick<BackendSettings, 'device' | 'threads'>;

export interface CompleteParams {
  readonly model: string;
  readonly adapter: string | null;
  readonly adapterStrength: number;
  /** The document before and after the cursor. */
  readonly prefix: string;
  readonly suffix: string;
  readonly file?: string;
  readonly repository?: string;
  readonly fillInTheMiddle: FillInTheMiddleChoice;
  readonly mode: CompletionMode;
  readonly maxNewTokens: number;
}

/** Ghost text, and who wrote it. */
export interface Completed extends Insertion {
  /** The format's name; null: only what stands before the cursor is read. */
  readonly fillInTheMiddle: string | null;
  /** "CPU, 2 threads, int8 weights". */
  readonly engine: string;
  /** What went wrong while the model was loaded, though another device took over. */
  readonly warning: string | null;
}

export const engineNotification = new NotificationType<EngineChoice>('engine');
export const generateRequest = new RequestType<GenerateParams, GenerateSummary, void>('generate');
export const tokenNotification = new NotificationType<{ streamId: string; text: string }>('token');
export const completeRequest = new RequestType<CompleteParams, Completed | null, void>('complete');
export const dataOverviewRequest = new RequestType<RunConfig, DataOverview, void>('dataOverview');
export const dataExamplesRequest = new RequestType<{ config: RunConfig; query: ExampleQuery }, ExamplePage, void>('dataExamples');
export const preflightRequest = new RequestType<RunConfig, PreflightReport, void>('preflight');
