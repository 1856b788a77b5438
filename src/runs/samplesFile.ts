import { existsSync, readFileSync } from 'node:fs';
import { appendToFile, writeFileAtomically } from '../files/atomicWrite.js';
import { reading } from '../files/reading.js';
import type { Sample } from '../protocol/run.js';

/** samples.jsonl: one answer a line, appended by the trainer. */
export function appendSample(path: string, sample: Sample): void {
  appendToFile(path, asLine(sample));
}

/** Drops what a process wrote that died before saving the step, and a half-written last line. */
export function cutSamplesAfter(path: string, evaluatedStep: number | null): void {
  if (!existsSync(path)) return;
  const kept = readSamples(path).filter(({ step }) => step <= (evaluatedStep ?? -1));
  writeFileAtomically(path, kept.map(asLine).join(''));
}

export function readSamples(path: string): Sample[] {
  if (!existsSync(path)) return [];
  return reading(path, () => readFileSync(path, 'utf8'))
    .split('\n')
    .flatMap((line) => parseSample(line) ?? []);
}

function asLine(sample: Sample): string {
  return `${JSON.stringify(sample)}\n`;
}

/** undefined for a line that is no sample: blank, half-written, or from somewhere else. */
function parseSample(line: string): Sample | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { step, prompt, expected, text } = value as Record<string, unknown>;
  if (typeof step !== 'number') return undefined;
  if (typeof prompt !== 'string' || typeof expected !== 'string' || typeof text !== 'string') return undefined;
  return { step, prompt, expected, text };
}
