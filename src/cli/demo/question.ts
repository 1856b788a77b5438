import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

/** A row of the demo's data: what someone says, and the settings of run.json that it asks for. */
export interface Question {
  readonly sentence: string;
  readonly settings: string;
}

interface PromptRow {
  readonly prompt: string;
  readonly completion: string;
}

export function readQuestions(path: string): Question[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { prompt, completion } = JSON.parse(line) as PromptRow;
      return { sentence: prompt, settings: completion.trim() };
    });
}

/** Whether the answer is JSON, the whole of it, with exactly these values; spaces and the order of keys do not matter. */
export function isRight(answer: string, { settings }: Question): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(answer), JSON.parse(settings));
  } catch {
    return false;
  }
}
