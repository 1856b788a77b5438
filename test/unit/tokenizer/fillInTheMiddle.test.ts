import { expect, test } from 'vitest';
import {
  chooseFillInTheMiddle,
  fillInTheMiddleEnds,
  recognizeFillInTheMiddle,
} from '../../../src/core/tokenizer/fillInTheMiddle.js';
import { fillInTheMiddleFormats } from '../../../src/core/tokenizer/fillInTheMiddleFormats.js';
import {
  fillInTheMiddleExample,
  fillInTheMiddlePrompt,
  type FillInTheMiddleParts,
} from '../../../src/core/tokenizer/fillInTheMiddlePrompt.js';
import { eos, vocabularyWith } from './vocabulary.js';

interface Reference {
  readonly name: string;
  readonly kind: 'llama3' | 'sentencepiece';
  /** The relevant tokens of the model's vocabulary. */
  readonly tokens: readonly string[];
  /** In the vocabularies, Ġ and ▁ stand for a space and Ċ for a line break. */
  readonly prompt: string;
  readonly place?: Pick<FillInTheMiddleParts, 'file' | 'repository'>;
}

const [prefix, suffix] = ['def f(', ') + b\n'];
const [file, repository] = ['src/f.py', 'adder'];

const starCoder = ['<|endoftext|>', '<fim_prefix>', '<fim_middle>', '<fim_suffix>', '<fim_pad>', '<filename>', '<reponame>'];
const qwen = ['<|fim_prefix|>', '<|fim_middle|>', '<|fim_suffix|>', '<|fim_pad|>', '<|repo_name|>', '<|file_sep|>'];

const references: readonly Reference[] = [
  // https://github.com/QwenLM/Qwen2.5-Coder#fill-in-the-middle-with-qwen25-coder: a file on its own.
  { name: 'qwen', kind: 'llama3', tokens: qwen, prompt: '<|fim_prefix|>defĠf(<|fim_suffix|>)Ġ+ĠbĊ<|fim_middle|>' },
  // https://arxiv.org/abs/2409.12186, figure 4: a file in its repository.
  {
    name: 'qwen',
    kind: 'llama3',
    tokens: qwen,
    place: { file, repository },
    prompt: '<|repo_name|>adderĊ<|file_sep|>src/f.pyĊ<|fim_prefix|>defĠf(<|fim_suffix|>)Ġ+ĠbĊ<|fim_middle|>',
  },
  // https://ai.google.dev/gemma/docs/codegemma/prompt-structure
  {
    name: 'codegemma',
    kind: 'llama3',
    tokens: ['<|fim_prefix|>', '<|fim_middle|>', '<|fim_suffix|>', '<|file_separator|>'],
    place: { file },
    prompt: '<|fim_prefix|>defĠf(<|fim_suffix|>)Ġ+ĠbĊ<|fim_middle|>',
  },
  // https://github.com/deepseek-ai/DeepSeek-Coder#2-code-insertion
  {
    name: 'deepseek',
    kind: 'llama3',
    tokens: ['<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>', '<|EOT|>'],
    place: { file },
    prompt: '<｜fim▁begin｜>defĠf(<｜fim▁hole｜>)Ġ+ĠbĊ<｜fim▁end｜>',
  },
  // https://github.com/meta-llama/codellama/blob/main/llama/generation.py, infilling_prompt_tokens: "<PRE> {pre} <SUF>{suf}
  // <MID>",
  // where the suffix lacks the space that SentencePiece would put before it, and the prefix has it.
  {
    name: 'codellama',
    kind: 'sentencepiece',
    tokens: ['▁<PRE>', '▁<SUF>', '▁<MID>', '▁<EOT>'],
    place: { file },
    prompt: '▁<PRE>▁def▁f(▁<SUF>)▁+▁b<0x0A>▁<MID>',
  },
  // https://huggingface.co/JetBrains/Mellum-4b-base#fill-in-the-middle-with-additional-files-as-context-generation, and its
  // special_tokens_map.json.
  {
    name: 'mellum',
    kind: 'llama3',
    tokens: [...starCoder, '<system>', '<assistant>', '<user>'],
    place: { file, repository },
    prompt: '<filename>src/f.pyĊ<fim_suffix>)Ġ+ĠbĊ<fim_prefix>defĠf(<fim_middle>',
  },
  // https://arxiv.org/abs/2402.19173, section 5.1: the path is part of the prefix.
  {
    name: 'starcoder2',
    kind: 'llama3',
    tokens: ['<|endoftext|>', '<fim_prefix>', '<fim_middle>', '<fim_suffix>', '<fim_pad>', '<repo_name>', '<file_sep>'],
    place: { file, repository },
    prompt: '<repo_name>adder<file_sep><fim_prefix>src/f.pyĊdefĠf(<fim_suffix>)Ġ+ĠbĊ<fim_middle>',
  },
  // https://huggingface.co/bigcode/starcoder#fill-in-the-middle; Granite Code has the same tokenizer.
  {
    name: 'starcoder',
    kind: 'llama3',
    tokens: starCoder,
    place: { file },
    prompt: '<fim_prefix>defĠf(<fim_suffix>)Ġ+ĠbĊ<fim_middle>',
  },
  // https://huggingface.co/bigcode/santacoder#fill-in-the-middle
  {
    name: 'santacoder',
    kind: 'llama3',
    tokens: ['<fim-prefix>', '<fim-middle>', '<fim-suffix>', '<fim-pad>'],
    prompt: '<fim-prefix>defĠf(<fim-suffix>)Ġ+ĠbĊ<fim-middle>',
  },
  // https://arxiv.org/abs/2506.03524, section 2.2
  {
    name: 'seed-coder',
    kind: 'llama3',
    tokens: ['<[fim-suffix]>', '<[fim-prefix]>', '<[fim-middle]>'],
    place: { file },
    prompt: '<[fim-suffix]>)Ġ+ĠbĊ<[fim-prefix]>defĠf(<[fim-middle]>',
  },
  // https://github.com/mistralai/mistral-common/blob/main/tests/test_fim_tokenizer.py, where "return a + b" behind "def f(" is
  // "<s>[SUFFIX]return▁a▁+▁b[PREFIX]▁def▁f(".
  {
    name: 'codestral',
    kind: 'sentencepiece',
    tokens: ['[PREFIX]', '[MIDDLE]', '[SUFFIX]'],
    prompt: '[SUFFIX])▁+▁b<0x0A>[PREFIX]▁def▁f(',
  },
  // https://github.com/continuedev/continue/blob/main/core/autocomplete/templating/AutocompleteTemplate.ts
  {
    name: 'codestral',
    kind: 'sentencepiece',
    tokens: ['[PREFIX]', '[MIDDLE]', '[SUFFIX]'],
    place: { file },
    prompt: '[SUFFIX])▁+▁b<0x0A>[PREFIX]▁+++++▁src/f.py<0x0A>def▁f(',
  },
];

test.each(references)('$name: recognised from the vocabulary, and the prompt is that of its authors', (reference) => {
  const { name, kind, tokens, place, prompt } = reference;
  const { tokenizer, spell } = vocabularyWith(kind, tokens);
  const format = recognizeFillInTheMiddle(tokenizer)!;
  expect(format.name).toBe(name);
  const ids = fillInTheMiddlePrompt(format, tokenizer, { prefix, suffix, ...place })!;
  expect(spell(ids)).toBe(`<s>${prompt}`);
  const markers = [format.prefix, format.suffix, format.middle].filter((marker) => marker !== null);
  for (const marker of markers) expect(ids.filter((id) => id === tokenizer.tokenId(marker))).toHaveLength(1);
});

test('every format has its reference', () => {
  const named = new Set(references.map(({ name }) => name));
  expect([...named]).toEqual(fillInTheMiddleFormats.map(({ name }) => name));
});

test('a vocabulary without such tokens, or with tokens that its models have not learned, has no format', () => {
  expect(recognizeFillInTheMiddle(vocabularyWith('llama3', []).tokenizer)).toBe(null);
  // Mistral's byte-level vocabularies (Nemo, Ministral): https://github.com/mistralai/mistral-common, tekken.py
  const tekken = vocabularyWith('llama3', ['[PREFIX]', '[MIDDLE]', '[SUFFIX]', '<SPECIAL_20>']);
  expect(recognizeFillInTheMiddle(tekken.tokenizer)).toBe(null);
});

test('what a model learns from goes on with the middle and its end', () => {
  const learned = (
    kind: 'llama3' | 'sentencepiece',
    tokens: readonly string[],
    parts: FillInTheMiddleParts & { middle: string },
  ) => {
    const { tokenizer, spell } = vocabularyWith(kind, tokens);
    const format = recognizeFillInTheMiddle(tokenizer)!;
    const { ids, middleStart } = fillInTheMiddleExample(format, tokenizer, parts)!;
    expect(ids.slice(0, middleStart)).toEqual(fillInTheMiddlePrompt(format, tokenizer, parts));
    return spell(ids);
  };
  const parts = { prefix, suffix, middle: 'a' };
  expect(learned('llama3', starCoder, parts)).toBe('<s><fim_prefix>defĠf(<fim_suffix>)Ġ+ĠbĊ<fim_middle>a</s>');
  expect(learned('sentencepiece', ['▁<PRE>', '▁<SUF>', '▁<MID>', '▁<EOT>'], parts)).toBe(
    '<s>▁<PRE>▁def▁f(▁<SUF>)▁+▁b<0x0A>▁<MID>a▁<EOT>',
  );
  expect(learned('sentencepiece', ['[PREFIX]', '[SUFFIX]'], parts)).toBe('<s>[SUFFIX])▁+▁b<0x0A>[PREFIX]▁def▁f(a</s>');
});

test('in a document that speaks of these tokens they are text', () => {
  for (const { kind, tokens } of references) {
    const { tokenizer } = vocabularyWith(kind, tokens);
    const format = recognizeFillInTheMiddle(tokenizer)!;
    const text = `f(${tokens.join(' + ')}) # </s>${tokens.join('')}\n`;
    const { ids } = fillInTheMiddleExample(format, tokenizer, { prefix: text, suffix: text, middle: text })!;
    const end = tokenizer.tokenId(format.end ?? eos);
    const markers = [format.prefix, format.suffix, format.middle].flatMap((marker) => (marker ? tokenizer.tokenId(marker) : []));
    const isToken = new Set([eos, ...tokens].map((token) => tokenizer.tokenId(token)));
    expect(ids.filter((id) => isToken.has(id)).sort()).toEqual([...markers, end].sort());
    // SentencePiece cannot distinguish ▁ from a space.
    const [read, written] = [tokenizer.decode(ids), text].map((each) => each.replaceAll('▁', ' '));
    expect(read!.split(written!), format.name).toHaveLength(4);
  }
});

test('names of files and repositories may have any characters', () => {
  const { tokenizer } = vocabularyWith('llama3', qwen);
  const place = { file: '{}$&.py', repository: '$1' };
  const ids = fillInTheMiddlePrompt(recognizeFillInTheMiddle(tokenizer)!, tokenizer, { prefix, suffix, ...place })!;
  expect(tokenizer.decode(ids)).toContain('<|repo_name|>$1\n<|file_sep|>{}$&.py\n<|fim_prefix|>');
});

test('to the token, no more than the budget: what is furthest from the cursor goes, and headers where they take too much', () => {
  for (const { name, kind, tokens, place } of references) {
    const { tokenizer, spell } = vocabularyWith(kind, tokens);
    const format = recognizeFillInTheMiddle(tokenizer)!;
    const parts = { prefix: `${'a b c\n'.repeat(40)}before(`, suffix: `)behind${'\nx y z'.repeat(40)}`, ...place };
    for (let budget = 1; budget < 120; budget++) {
      const ids = fillInTheMiddlePrompt(format, tokenizer, parts, budget);
      if (ids) expect(ids).toHaveLength(budget);
      else expect(budget).toBeLessThan(5);
    }
    const [short, long] = [40, 119].map((budget) => spell(fillInTheMiddlePrompt(format, tokenizer, parts, budget)!));
    for (const prompt of [short!, long!]) {
      expect(prompt).toContain(`before(${format.order === 'SPM' ? (format.middle ?? '') : format.suffix}`);
      expect(prompt).toContain(`${format.suffix})behind`);
    }
    const header = place !== undefined && format.headers !== null;
    expect(long!.includes('src/f.py'), name).toBe(header);
  }
});

test('somebody may choose a format by its name, none, or markers of their own', () => {
  const mellum = vocabularyWith('llama3', [...starCoder, '<assistant>']);
  expect(chooseFillInTheMiddle(mellum.tokenizer, 'auto')?.name).toBe('mellum');
  expect(chooseFillInTheMiddle(mellum.tokenizer, 'starcoder')?.order).toBe('PSM');
  expect(chooseFillInTheMiddle(mellum.tokenizer, 'none')).toBe(null);
  expect(() => chooseFillInTheMiddle(mellum.tokenizer, 'starcoder2')).toThrow(
    'This model cannot read the fill-in-the-middle format "starcoder2": its vocabulary lacks <file_sep>, <repo_name>. Choose auto, none or another format.',
  );
  expect(() => chooseFillInTheMiddle(mellum.tokenizer, 'copilot')).toThrow(
    /no fill-in-the-middle format "copilot".*qwen, codegemma/,
  );
  expect(() => chooseFillInTheMiddle(mellum.tokenizer, { prefix: '<P>' })).toThrow(/at least a prefix and a suffix/);
});

test('markers of one’s own are tokens where the vocabulary has them, else their text, without a space before it', () => {
  const { tokenizer, spell } = vocabularyWith('sentencepiece', ['<mine>']);
  const format = chooseFillInTheMiddle(tokenizer, { prefix: '<mine>', suffix: '=S', middle: '=M', end: '=E', order: 'SPM' })!;
  const ids = fillInTheMiddlePrompt(format, tokenizer, { prefix, suffix, file })!;
  expect(spell(ids)).toBe('<s>=S)▁+▁b<0x0A><mine>▁def▁f(=M');
  expect(fillInTheMiddleEnds(format, tokenizer)).toEqual({ ids: [tokenizer.tokenId('<mine>')], texts: ['=S', '=M', '=E'] });
});
