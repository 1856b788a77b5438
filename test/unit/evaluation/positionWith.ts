import type { Position } from '../../../src/evaluation/positions.js';

/** A position in a file that consists of these three parts. */
export function positionWith(prefix: string, middle: string, suffix: string): Position {
  const source = { path: '/code/a.ts', file: 'a.ts', text: prefix + middle + suffix };
  return { kind: 'lineRest', source, start: prefix.length, end: prefix.length + middle.length, prefix, middle, suffix };
}
