import { windowCharacters } from '../../core/tokenizer/contextWindow.js';
import type { FillInTheMiddleFormat } from '../../core/tokenizer/fillInTheMiddleFormats.js';
import type { OtherFile } from '../../core/tokenizer/fillInTheMiddlePrompt.js';
import type { CursorContext } from '../context.js';
import type { ChunkIndex } from './chunkIndex.js';

/** At most so many chunks, and tokens in all, as in CrossCodeEval (https://arxiv.org/abs/2310.11248); half of the prompt. */
const maxChunks = 5;
const maxTokens = 512;

const linesBefore = 10;
const linesBehind = 5;

/** What is searched for: the lines around the cursor, without the word that is just being typed. */
export function queryAt({ prefix, suffix }: Pick<CursorContext, 'prefix' | 'suffix'>): string {
  const before = prefix.replace(/[\p{L}\p{N}_]+$/u, '').split('\n');
  return [...before.slice(-linesBefore), ...suffix.split('\n').slice(0, linesBehind)].join('\n');
}

/** The parts of other files that resemble the query most, the most similar last, as a prompt wants them. */
export function retrieve(index: ChunkIndex, query: string, exceptPath: string): readonly OtherFile[] {
  const chosen: OtherFile[] = [];
  let room = windowCharacters(maxTokens);
  for (const { file, text } of index.find(query, exceptPath)) {
    if (chosen.length === maxChunks) break;
    const length = file.length + text.length;
    if (length > room) continue;
    chosen.unshift({ file, text });
    room -= length;
  }
  return chosen;
}

/** Whether the model has learned to read parts of several files, each under its name. */
export function readsOthers(format: FillInTheMiddleFormat | null): boolean {
  return Boolean(format?.headers?.file);
}

/** What a request tells about other files; nothing if the model would not read it. */
export function othersFor(format: FillInTheMiddleFormat | null, others: readonly OtherFile[]): Pick<CursorContext, 'others'> {
  return others.length > 0 && readsOthers(format) ? { others } : {};
}
