/** @file Decides by its content whether a file is code that a person has written. */
import type { LeftOutKind } from './fileRules.js';

export interface ContentFinding {
  readonly kind: LeftOutKind;
  /** Counted from 1. */
  readonly line?: number;
}

/** In bytes; The Stack's limit (https://arxiv.org/abs/2211.15533). */
export const largestSourceFile = 2 ** 20;

/** Characters; the limits of StarCoder's training data (https://arxiv.org/abs/2305.06161, section 3.1). */
const longestLine = 1000;
const longestMeanLine = 100;

/** What generators write into what they generate; GitHub's linguist looks for the same (lib/linguist/generated.rb). */
const marker =
  /@generated\b|\bdo not (edit|modify|change)\b|\bauto[- ]?generated\b|\bgenerated (by|from|with)\b.*\b(do not|don't|compiler|generator|tool)\b|\bcode generated\b|\bthis (file|code) (is|was) (automatically )?generated\b/i;
const markedLines = 20;
/** In code that writes such markers they stand in strings; in generated code, in comments. */
const comment = /^\s*(\/\/|\/\*|\*|#|--|;|%|<!--|"""|'''|\{-|\(\*)/;

/** Undefined for a text that is worth learning from. */
export function findInContent(text: string): ContentFinding | undefined {
  if (text.trim() === '') return { kind: 'empty' };
  const lines = text.split('\n');
  const marked = lines.slice(0, markedLines).findIndex((line) => comment.test(line) && marker.test(line));
  if (marked >= 0) return { kind: 'generated', line: marked + 1 };
  const long = lines.findIndex((line) => line.length > longestLine);
  if (long >= 0) return { kind: 'minified', line: long + 1 };
  return text.length / lines.length > longestMeanLine ? { kind: 'minified' } : undefined;
}

/** Texts that differ only in line endings and in space at the end of lines are the same code. */
export function normalized(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/[ \t]+$/gm, '')
    .trim();
}
