import { existsSync, readFileSync } from 'node:fs';
import type { Leak } from '../protocol/leakProbe.js';

/**
 * A source file is one example, whose origin is its path alone; the line at which the text begins is looked up in it. Other origins,
 * and that of a text that is not found, stay as they are.
 */
export function originWithLine({ origin, prefix, text }: Pick<Leak, 'origin' | 'prefix' | 'text'>): string {
  if (!existsSync(origin)) return origin;
  const file = readFileSync(origin, 'utf8').replaceAll('\r\n', '\n');
  const found = [prefix + text, text].find((part) => file.includes(part));
  if (found === undefined) return origin;
  const start = file.indexOf(found) + found.length - text.length;
  const begin = start + (text.length - text.trimStart().length);
  return `${origin}:${file.slice(0, begin).split('\n').length}`;
}
