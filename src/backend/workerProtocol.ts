/** @file The messages between the backend and its workers. */
import { NotificationType, RequestType } from 'vscode-languageserver/node';
import type { Insertion } from '../complete/insertion.js';
import type { OtherFile } from '../core/tokenizer/fillInTheMiddlePrompt.js';
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
import type { EvaluateCompletionRequest, EvaluateSweepRequest } from '../protocol/evaluateCompletion.js';
import type { ExportResult, ExportRequest } from '../protocol/export.js';
import type { LeakProbeRequest, LeakReport } from '../protocol/leakProbe.js';
import type { MergeRequest, MergeResult } from '../protocol/mergeAdapters.js';
import type { DataOverview, ExamplePage, ExampleQuery, PreflightReport } from '../protocol/preflight.js';
import type { RunConfig } from '../protocol/runConfig.js';
import type {
  AdapterSpectrum,
  IntruderReport,
  IntruderRequest,
  RankLossReport,
  RankLossRequest,
  SimilarityGrids,
  SimilarityRequest,
  SpectrumRequest,
} from '../protocol/spectrum.js';

export interface CompleteParams {
  readonly model: string;
  readonly adapter: string | null;
  readonly adapterStrength: number;
  /** The document before and after the cursor. */
  readonly prefix: string;
  readonly suffix: string;
  readonly file?: string;
  readonly repository?: string;
  /** Parts of other files, the most important last. */
  readonly others: readonly OtherFile[];
  readonly fillInTheMiddle: FillInTheMiddleChoice;
  readonly mode: CompletionMode;
  readonly maxNewTokens: number;
}

/** Ghost text and what produced it. */
export interface Completed extends Insertion {
  /** Name of the format; null means that only the text before the cursor is read. */
  readonly fillInTheMiddle: string | null;
  /** How many parts of other files the model was told. */
  readonly retrieved: number;
  /** For example "CPU, 2 threads, int8 weights". */
  readonly engine: string;
  /** What went wrong with the model, if another device had to take over; otherwise null. */
  readonly warning: string | null;
}

export interface RetrieveParams {
  readonly query: string;
  /** Absolute path of the file that the cursor is in, of which nothing is returned. */
  readonly exceptPath: string;
}

export const engineNotification = new NotificationType<EngineChoice>('engine');
export const generateRequest = new RequestType<GenerateParams, GenerateSummary, void>('generate');
export const tokenNotification = new NotificationType<{ streamId: string; text: string }>('token');
export const completeRequest = new RequestType<CompleteParams, Completed | null, void>('complete');
/** Answered when the folders have been read. */
export const indexRequest = new RequestType<{ readonly folders: readonly string[] }, null, void>('index');
export const retrieveRequest = new RequestType<RetrieveParams, readonly OtherFile[], void>('retrieve');
export const serveRequest = new RequestType<EndpointParams & { readonly engine: EngineChoice }, EndpointInfo, void>('serve');
export const dataOverviewRequest = new RequestType<RunConfig, DataOverview, void>('dataOverview');
export const dataExamplesRequest = new RequestType<{ config: RunConfig; query: ExampleQuery }, ExamplePage, void>('dataExamples');
/** How much of the data has been read, 0 to 1. */
export const dataProgressNotification = new NotificationType<{ share: number }>('dataProgress');
/** Sentences about what the pre-flight is doing. */
export const preflightNote = new NotificationType<string>('preflight/note');
export const preflightRequest = new RequestType<RunConfig, PreflightReport, void>('preflight');
export const exportRequest = new RequestType<WithWorkId<ExportRequest>, ExportResult, void>('export');
export const mergeRequest = new RequestType<WithWorkId<MergeRequest>, MergeResult, void>('merge');
export const spectrumRequest = new RequestType<WithWorkId<SpectrumRequest>, AdapterSpectrum, void>('spectrum');
export const similarityRequest = new RequestType<WithWorkId<SimilarityRequest>, SimilarityGrids, void>('similarity');
export const intrudersRequest = new RequestType<WithWorkId<IntruderRequest>, IntruderReport, void>('intruders');
/** With where to compute. */
type OnEngine<Request> = WithWorkId<Request> & { readonly engine: EngineChoice };
export const rankLossesRequest = new RequestType<OnEngine<RankLossRequest>, RankLossReport, void>('rankLosses');
export const leakProbeRequest = new RequestType<OnEngine<LeakProbeRequest>, LeakReport, void>('leakProbe');
export const evaluateCompletionRequest = new RequestType<OnEngine<EvaluateCompletionRequest>, null, void>('evaluateCompletion');
export const evaluateSweepRequest = new RequestType<OnEngine<EvaluateSweepRequest>, null, void>('evaluateSweep');
export const workProgressNotification = new NotificationType<WorkProgress>('workProgress');
