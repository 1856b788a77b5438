import { existsSync } from 'node:fs';
import { writeFileAtomically } from '../files/atomicWrite.js';
import type { Sample } from '../protocol/run.js';
import { appendLine, lineOf, LinesTail, readLines, type LineFormat } from './jsonLines.js';

/** samples.jsonl: one answer per line, appended by the trainer. */
export function appendSample(path: string, sample: Sample): void {
  appendLine(path, sample);
}

/** Drops answers written by a process that died before saving the step, and a half-written last line. */
export function cutSamplesAfter(path: string, evaluatedStep: number | null): void {
  if (!existsSync(path)) return;
  const kept = readSamples(path).filter(({ step }) => step <= (evaluatedStep ?? -1));
  writeFileAtomically(path, kept.map(lineOf).join(''));
}

export function readSamples(path: string): Sample[] {
  return readLines(path, sampleLine);
}

export function samplesTail(path: string): LinesTail<Sample> {
  return new LinesTail(path, sampleLine);
}

/** A prompt may be as long as an example. */
const sampleLine: LineFormat<Sample> = { maxCharacters: 1 << 19, parse: parseSample };

function parseSample(value: unknown): Sample | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { step, prompt, expected, text } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(step) || (step as number) < 0) return undefined;
  if (typeof prompt !== 'string' || typeof expected !== 'string' || typeof text !== 'string') return undefined;
  return { step: step as number, prompt, expected, text };
}
