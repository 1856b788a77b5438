import { describe, expect, test } from 'vitest';
import { complete, type CompletionRequest } from '../../../src/complete/complete.js';
import type { TextModel } from '../../../src/core/generate/textModel.js';
import { chooseFillInTheMiddle, type FillInTheMiddleChoice } from '../../../src/core/tokenizer/fillInTheMiddle.js';
import { fillInTheMiddleFormats } from '../../../src/core/tokenizer/fillInTheMiddleFormats.js';
import type { Tokenizer } from '../../../src/core/tokenizer/tokenizer.js';
import { eos, vocabularyWith } from '../tokenizer/vocabulary.js';

/** A model that writes these ids, whatever it reads. */
function writing(ids: readonly number[]): TextModel {
  return {
    description: 'written beforehand',
    contextLength: 256,
    logits: () => Promise.reject(new Error('nobody asks')),
    logprobs: () => Promise.reject(new Error('nobody asks')),
    dispose: () => Promise.resolve(),
    async generate({ endIds, maxNewTokens }, onToken) {
      const written: number[] = [];
      const result = { ids: written, promptSeconds: 0, decodeSeconds: 0, reusedTokens: 0 };
      for (const id of ids.slice(0, maxNewTokens)) {
        if (endIds.includes(id)) return { ...result, finishReason: 'end' };
        written.push(id);
        if (!onToken(id, null)) return { ...result, finishReason: 'stopped' };
      }
      return { ...result, finishReason: 'length' };
    },
  };
}

const around = { prefix: 'sum = ', suffix: '\nprint(sum)\n' };

async function suggestion(
  tokenizer: Tokenizer,
  written: readonly number[],
  choice: FillInTheMiddleChoice = 'auto',
  settings: Partial<CompletionRequest> = {},
): Promise<string> {
  const format = chooseFillInTheMiddle(tokenizer, choice);
  const request = { adapter: null, adapterStrength: 1, mode: 'line', maxNewTokens: 64, ...around, ...settings } as const;
  const model = writing(written);
  return (await complete({ ...request, model, tokenizer, format }, new AbortController().signal)).text;
}

function idsOf(tokenizer: Tokenizer, text: string): readonly number[] {
  return [...tokenizer.encode(text, { addSpecialTokens: false })];
}

describe.each(fillInTheMiddleFormats)('$name', ({ name, sign, stops, ...format }) => {
  const markers = [format.prefix, format.suffix, format.middle, format.end].filter((marker) => marker !== null);
  const tokens = [...new Set([...markers, ...stops])];
  const kind = sign === '<0x0A>' ? 'sentencepiece' : 'llama3';
  // Many vocabularies do not mark these tokens as special.
  const { tokenizer } = vocabularyWith(kind, sign === null ? tokens : [...tokens, sign], { special: false });

  test.each([...tokens, eos])('%s ends ghost text and is not in it', async (end) => {
    const ids = [...idsOf(tokenizer, 'a + b'), tokenizer.tokenId(end)!, ...idsOf(tokenizer, 'leaked')];
    for (const choice of ['auto', 'none', name]) expect((await suggestion(tokenizer, ids, choice)).trim()).toBe('a + b');
    const atEndOfFile = await suggestion(tokenizer, ids, 'auto', { suffix: '' });
    expect(atEndOfFile.trim(), 'with nothing behind the cursor').toBe('a + b');
  });
});

test('a special token of any name ends ghost text', async () => {
  const { tokenizer } = vocabularyWith('llama3', ['<repo_name>']);
  const ids = [...idsOf(tokenizer, 'a + b'), tokenizer.tokenId('<repo_name>')!, ...idsOf(tokenizer, 'leaked')];
  expect(await suggestion(tokenizer, ids)).toBe('a + b');
});

describe('markers that are mere text', () => {
  const { tokenizer } = vocabularyWith('llama3', []);
  const markers = { prefix: '<PREFIX>', suffix: '<SUFFIX>', middle: '<MIDDLE>', end: '<END>' };

  test.each(Object.values(markers))('%s ends ghost text and is not in it', async (end) => {
    const ids = idsOf(tokenizer, `a + b${end}leaked`);
    expect(ids.length).toBeGreaterThan(4);
    expect(await suggestion(tokenizer, ids, markers)).toBe('a + b');
    expect(await suggestion(tokenizer, ids, markers, { suffix: '' }), 'with nothing behind the cursor').toBe('a + b');
  });

  test('also half of it, where the text gets too long', async () => {
    const [text, end] = [idsOf(tokenizer, 'a + b'), idsOf(tokenizer, '<END>')];
    for (let length = 1; length < end.length; length++) {
      const maxNewTokens = text.length + length;
      expect(await suggestion(tokenizer, [...text, ...end], markers, { maxNewTokens })).toBe('a + b');
    }
  });

  test('what only looks like the beginning of one stays', async () => {
    const ids = [...idsOf(tokenizer, 'a <'), tokenizer.eosId!];
    expect(await suggestion(tokenizer, ids, markers)).toBe('a <');
  });
});
