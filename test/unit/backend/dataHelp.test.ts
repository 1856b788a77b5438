import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { examine } from '../../../src/backend/dataHelp.js';
import { Tokenizers } from '../../../src/backend/tokenizers.js';

const withoutText = new Tokenizers().of(join(process.cwd(), 'test/fixtures/models/gqa-tied'));
const lines = (...rows: object[]) =>
  TextDocument.create('file:///rows.jsonl', 'json', 1, rows.map((row) => JSON.stringify(row)).join('\n'));

test('a model without a tokenizer counts ids, and marks rows that are none', () => {
  expect(examine(lines({ input_ids: [1, 2, 3] }), withoutText)?.tokensByLine).toEqual(new Map([[0, 3]]));
  expect(examine(lines({ input_ids: [1, 'two'] }), withoutText)?.diagnostics).toHaveLength(1);
});

test('rows of text are counted without their tokens', () => {
  expect(examine(lines({ text: 'some words' }, { text: 'more' }), withoutText)).toMatchObject({
    examples: 2,
    tokensByLine: new Map(),
  });
});

test('rows of CSV are marked on the line on which they begin', () => {
  const document = TextDocument.create('file:///rows.csv', 'csv', 1, 'text,label\n"one\ntwo",a\nthree,b,c\n');
  const report = examine(document, undefined);
  expect(report).toMatchObject({ examples: 1 });
  expect(report?.diagnostics.map(({ range }) => range.start.line)).toEqual([3]);
  expect(examine(TextDocument.create('file:///prices.csv', 'csv', 1, 'item,price\nbread,3\n'), undefined)).toBeUndefined();
});
