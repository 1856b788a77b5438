import { alpacaPrompt } from '../core/data/formats/alpaca.js';
import { detectFormat } from '../core/data/detectFormat.js';
import { UserError } from '../core/errors.js';
import type { ChatMessage, Tokenizer } from '../core/tokenizer/tokenizer.js';
import { diskFiles } from '../files/dataFiles.js';
import type { PromptTemplate } from '../protocol/backend.js';
import { runOfAdapter } from './runOfAdapter.js';

export interface PromptParts {
  readonly text: string;
  /** The optional second part of an Alpaca prompt. */
  readonly input?: string;
}

export interface EncodedPrompt {
  readonly ids: readonly number[];
  readonly template: PromptTemplate;
}

export function encodePrompt(
  tokenizer: Tokenizer,
  { text, input = '' }: PromptParts,
  template: PromptTemplate,
): readonly number[] {
  switch (template) {
    case 'alpaca':
      return [...tokenizer.encode(alpacaPrompt(text, input))];
    case 'chat': {
      const content = input ? `${text}\n\n${input}` : text;
      return encodeChat(tokenizer, [{ role: 'user', content }]);
    }
    case 'none':
      return [...tokenizer.encode(input ? `${text}\n${input}` : text)];
  }
}

/** Encodes a conversation as the model reads one. Without a chat template, its messages are joined one after another. */
export function encodeMessages(tokenizer: Tokenizer, messages: readonly ChatMessage[]): EncodedPrompt {
  if (tokenizer.hasChatTemplate) return { ids: encodeChat(tokenizer, messages), template: 'chat' };
  return { ids: [...tokenizer.encode(messages.map(({ content }) => content).join('\n\n'))], template: 'none' };
}

/** Encodes a conversation, ready for the next answer. Throws UserError if the model has no chat template. */
function encodeChat(tokenizer: Tokenizer, messages: readonly ChatMessage[]): readonly number[] {
  const text = tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true });
  return [...tokenizer.encode(text, { addSpecialTokens: false })];
}

/** The template that the adapter's run trained with, if its run directory is still around it; else the model's default. */
export function templateFor(tokenizer: Tokenizer, adapterFolder: string | undefined): PromptTemplate {
  const trained = adapterFolder === undefined ? undefined : templateOfRun(adapterFolder);
  return trained ?? (tokenizer.hasChatTemplate ? 'chat' : 'none');
}

function templateOfRun(adapterFolder: string): PromptTemplate | undefined {
  const run = runOfAdapter(adapterFolder);
  if (!run) return undefined;
  try {
    const { data } = run.readConfig();
    const format = data.format === 'auto' ? detectFormat(diskFiles.open(data.path)) : data.format;
    return format === 'alpaca' || format === 'chat' ? format : 'none';
  } catch (error) {
    // Only a hint is lost; the data may have moved since.
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
