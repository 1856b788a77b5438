/** @file Run-time checks for data reports in webview messages. */
import {
  leftOutKinds,
  type DataExample,
  type DataOverview,
  type DataSummary,
  type ExamplePage,
  type ExampleQuery,
  type FileUse,
  type LeftOutGroup,
  type LeftOutFile,
  type LengthBin,
  type PartOfData,
  type PreflightReport,
  type SampleSequence,
  type SampleToken,
  type SkippedRecord,
  type StepEstimate,
} from './preflight.js';
import { boolean, count, list, nullable, number, object, oneOf, optional, string, type Guard } from './guard.js';
import { heldOutBys } from './workspaceManifest.js';

const skippedRecord: Guard<SkippedRecord> = object({ origin: string, reason: string });
const partOfData: Guard<PartOfData> = object({ name: string, files: count, tokens: count });
const leftOutFile = object<Required<LeftOutFile>>({
  path: string,
  line: optional(count),
  detail: optional(string),
}) as Guard<LeftOutFile>;
const filesOfData = {
  files: list(object<FileUse>({ path: string, examples: count, tokens: count, heldOut: boolean })),
  fileCount: count,
  languages: list(partOfData),
  folders: list(partOfData),
  heldOutBy: nullable(oneOf(...heldOutBys)),
  leftOut: list(object<LeftOutGroup>({ kind: oneOf(...leftOutKinds), count, files: list(leftOutFile) })),
};
export const dataOverview: Guard<DataOverview> = object({
  format: oneOf('alpaca', 'prompt-completion', 'chat', 'text', 'code', 'tokens'),
  examples: count,
  tokens: count,
  truncated: count,
  heldOut: count,
  longest: count,
  ...filesOfData,
  skipped: list(skippedRecord),
  skippedCount: count,
  rows: count,
});
const lengthBin: Guard<LengthBin> = object({ upTo: number, examples: count });
const dataSummary: Guard<DataSummary> = object({
  examples: count,
  tokens: count,
  labelTokens: count,
  shortestLength: number,
  medianLength: number,
  length95: number,
  longestLength: number,
  histogram: list(lengthBin),
  truncated: count,
});
const sampleToken: Guard<SampleToken> = object({ id: count, text: string, learned: boolean });
const sampleSequence: Guard<SampleSequence> = object({ origin: string, tokens: list(sampleToken), cut: count });
const dataExample: Guard<DataExample> = object({
  origin: string,
  tokens: list(sampleToken),
  cut: count,
  heldOut: boolean,
});
export const examplePage: Guard<ExamplePage> = object({ text: string, offset: count, total: count, examples: list(dataExample) });
export const exampleQuery: Guard<ExampleQuery> = object({ text: string, offset: count, limit: count });
const stepEstimate: Guard<StepEstimate> = object({
  secondsPerStep: number,
  totalSeconds: number,
  peakMemoryBytes: number,
  expectedMemoryBytes: number,
  expectedDeviceBytes: number,
});
export const preflightReport: Guard<PreflightReport> = object({
  device: string,
  trainableParameters: count,
  totalSteps: count,
  format: oneOf('alpaca', 'prompt-completion', 'chat', 'text', 'code', 'tokens'),
  training: dataSummary,
  evaluation: nullable(dataSummary),
  ...filesOfData,
  skipped: list(skippedRecord),
  skippedCount: count,
  samples: list(sampleSequence),
  warnings: list(string),
  estimate: stepEstimate,
});
