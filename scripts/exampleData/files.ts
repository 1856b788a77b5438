import { makeRows, type Row } from './rows.js';

/** The data of examples/ by file name. */
export function exampleFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['settings.jsonl', jsonLines(makeRows('training', 880, 1))],
    ['settings-heldout.jsonl', jsonLines(makeRows('heldOut', 60, 2))],
  ]);
}

function jsonLines(rows: readonly Row[]): string {
  return rows.map(({ sentence, settings }) => `${JSON.stringify({ prompt: sentence, completion: `\n${settings}` })}\n`).join('');
}
