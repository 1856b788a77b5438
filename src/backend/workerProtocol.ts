/** @file The messages between the backend and its workers. */
import { NotificationType, RequestType } from 'vscode-languageserver/node';
import type { Insertion } from '../complete/insertion.js';
import type { EngineChoice } from '../inference/textModels.js';
import type {
  CompletionMode,
  EndpointInfo,
  EndpointParams,
  FillInTheMiddleChoice,
  GenerateParams,
  GenerateSummary,
  WithWorkId,
  WorkProgress,
} from '../protocol/backend.js';
import type { ExportResult, ExportRequest } from '../protocol/export.js';
import type { MergeRequest, MergeResult } from '../protocol/mergeAdapters.js';
import type { DataOverview, ExamplePage, ExampleQuery, PreflightReport } from '../protocol/preflight.js';
import type { RunConfig } from '../protocol/runConfig.js';

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

/** Ghost text and what produced it. */
export interface Completed extends Insertion {
  /** Name of the format; null means that only the text before the cursor is read. */
  readonly fillInTheMiddle: string | null;
  /** For example "CPU, 2 threads, int8 weights". */
  readonly engine: string;
  /** What went wrong with the model, if another device had to take over; otherwise null. */
  readonly warning: string | null;
}

export const engineNotification = new NotificationType<EngineChoice>('engine');
export const generateRequest = new RequestType<GenerateParams, GenerateSummary, void>('generate');
export const tokenNotification = new NotificationType<{ streamId: string; text: string }>('token');
export const completeRequest = new RequestType<CompleteParams, Completed | null, void>('complete');
export const serveRequest = new RequestType<EndpointParams & { readonly engine: EngineChoice }, EndpointInfo, void>('serve');
export const dataOverviewRequest = new RequestType<RunConfig, DataOverview, void>('dataOverview');
export const dataExamplesRequest = new RequestType<{ config: RunConfig; query: ExampleQuery }, ExamplePage, void>('dataExamples');
/** Sentences about what the pre-flight is doing. */
export const preflightNote = new NotificationType<string>('preflight/note');
export const preflightRequest = new RequestType<RunConfig, PreflightReport, void>('preflight');
export const exportRequest = new RequestType<WithWorkId<ExportRequest>, ExportResult, void>('export');
export const mergeRequest = new RequestType<WithWorkId<MergeRequest>, MergeResult, void>('merge');
export const workProgressNotification = new NotificationType<WorkProgress>('workProgress');
