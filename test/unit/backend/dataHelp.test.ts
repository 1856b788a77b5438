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
