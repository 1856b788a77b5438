import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chat } from '../../../src/core/data/formats/chat.js';
import { ChatTemplate } from '../../../src/core/tokenizer/chatTemplate.js';
import { createTokenizer } from '../../../src/core/tokenizer/huggingFace.js';
import type { ChatMessage } from '../../../src/core/tokenizer/tokenizer.js';

// Made by test/golden/make_tokenizers.py from transformers, with the date set to 26 July 2024.
interface Case {
  readonly name: string;
  readonly template: string;
  readonly messages: ChatMessage[];
  readonly rendered: string;
  readonly rendered_with_prompt: string;
  readonly ids?: number[];
  readonly assistant?: number[];
}
const read = (name: string) => JSON.parse(readFileSync(new URL(`../../golden/tokenizers/${name}.json`, import.meta.url), 'utf8'));
const { cases } = read('chat') as { cases: Case[] };
const specialTokens = { bos: '<s>', eos: '</s>', pad: null, unknown: '<unk>', stopIds: [3] };
const tokenizerWith = (chatTemplate: string) =>
  createTokenizer({ file: 'tokenizer.json', tokenizer: read('llama3').tokenizer, specialTokens, chatTemplate });

test.each(cases)('$name renders as in transformers: $messages.length messages', ({ template, messages, ...expected }) => {
  const now = new Date(2024, 6, 26);
  const chatTemplate = new ChatTemplate(template, { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' }, 'model');
  expect(chatTemplate.render(messages, { now })).toBe(expected.rendered);
  expect(chatTemplate.render(messages, { now, addGenerationPrompt: true })).toBe(expected.rendered_with_prompt);
});

test.each(cases.filter(({ assistant }) => assistant))(
  '$name: the loss counts what transformers marks as the assistant’s, $messages.length messages',
  ({ template, messages, ids, assistant }) => {
    const tokenizer = tokenizerWith(template);
    const context = { tokenizer, vocabSize: 640, maxSequenceLength: 512, trainOnPrompt: false };
    const { inputIds, labels } = chat.encode({ messages }, context, 'data.jsonl:1');
    expect([...inputIds]).toEqual(ids);
    expect([...labels]).toEqual(ids!.map((id, index) => (assistant![index] ? id : -100)));
  },
);

test('a template’s own refusal says which file and why', () => {
  const { template } = cases.find(({ name }) => name === 'turns')!;
  const twice = [
    { role: 'user', content: 'a' },
    { role: 'user', content: 'b' },
  ];
  expect(() => tokenizerWith(template).applyChatTemplate(twice)).toThrow(/tokenizer\.json.*Turns must alternate/);
});

test('a template that asks for endless work is refused', () => {
  const template = new ChatTemplate('{% for i in range(1000000000) %}x{% endfor %}', {}, 'model');
  expect(() => template.render([])).toThrow(/too long/);
});
