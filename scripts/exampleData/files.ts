import { makeRows, type Row } from './rows.js';

/** The data of examples/ by file name. */
export function exampleFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['settings.jsonl', jsonLines(makeRows('training', 400, 1))],
    ['settings-heldout.jsonl', jsonLines(makeRows('heldOut', 60, 2))],
  ]);
}

function jsonLines(rows: readonly Row[]): string {
  return rows.map((row) => `${JSON.stringify(conversation(row))}\n`).join('');
}

function conversation({ sentence, settings }: Row): object {
  return {
    messages: [
      { role: 'user', content: sentence },
      { role: 'assistant', content: settings },
    ],
  };
}
