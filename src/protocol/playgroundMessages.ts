/** @file The shapes of what host and playground post to each other. */
import { promptTemplates, type GenerateSummary, type SamplingSettings } from './backend.js';
import { boolean, count, either, list, nullable, number, object, oneOf, string, type Shape } from './shape.js';
import {
  playgroundSides,
  type Batch,
  type BatchAnswer,
  type BatchRow,
  type PlaygroundAnswer,
  type PlaygroundRequest,
  type Prefill,
  type Voice,
} from './webview.js';

export const prefill: Shape<Prefill> = object({
  model: nullable(string),
  adapter: nullable(string),
  prompt: nullable(string),
  run: boolean,
});
export const side = oneOf(...playgroundSides);
const voice: Shape<Voice> = object({ adapter: nullable(string), strength: number });
export const generateSummary: Shape<GenerateSummary> = object({
  tokens: count,
  tokensPerSecond: number,
  firstTokenMs: number,
  reason: oneOf('end', 'length', 'stopped'),
  template: oneOf(...promptTemplates),
});
const answerEnd: Shape<NonNullable<PlaygroundAnswer['end']>> = either(
  object<Extract<PlaygroundAnswer['end'], { kind: 'generated' }>>({ kind: oneOf('generated'), summary: generateSummary }),
  object<Extract<PlaygroundAnswer['end'], { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);
export const answer: Shape<PlaygroundAnswer> = object({ requestId: count, side, text: string, end: nullable(answerEnd) });
export const batchAnswer: Shape<BatchAnswer> = either(
  object<Extract<BatchAnswer, { kind: 'text' }>>({ kind: oneOf('text'), text: string }),
  object<Extract<BatchAnswer, { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);
export const batch: Shape<Batch> = object({
  requestId: count,
  file: string,
  left: voice,
  right: nullable(voice),
  rows: list(object<BatchRow>({ prompt: string, left: nullable(batchAnswer), right: nullable(batchAnswer) })),
  running: boolean,
});

const sampling: Shape<SamplingSettings> = object({
  temperature: number,
  topK: count,
  topP: number,
  minP: number,
  repetitionPenalty: number,
  seed: count,
});
export const playgroundRequest: Shape<PlaygroundRequest> = object({
  requestId: count,
  model: string,
  left: voice,
  right: nullable(voice),
  template: oneOf('auto', ...promptTemplates),
  sampling,
  maxNewTokens: count,
});
