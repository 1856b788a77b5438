/** @file Reads prompts from a file: one per line, or JSONL with `prompt` or `messages`. */
import type { ChatMessage } from '../protocol/backend.js';
import { isRecord, list, object, oneOf, string, type Guard } from '../protocol/guard.js';

/** A text, or a conversation to be answered. */
export type FilePrompt = string | readonly ChatMessage[];

/** A line that contains no prompt. */
export class UnreadableLine extends Error {
  constructor(readonly line: number) {
    super(`line ${line} holds no prompt`);
  }
}

/** Skips blank lines. Throws UnreadableLine. */
export function parsePrompts(content: string, kind: 'text' | 'jsonl'): readonly FilePrompt[] {
  const lines = content.replace(/^\uFEFF/, '').split(/\r?\n/);
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    return [kind === 'text' ? line : promptOfRow(parseJson(line), index + 1)];
  });
}

/** The prompt as a table shows it. */
export function promptText(prompt: FilePrompt): string {
  return typeof prompt === 'string' ? prompt : prompt.map(({ role, content }) => `${role}: ${content}`).join('\n');
}

const messages: Guard<readonly ChatMessage[]> = list(
  object<ChatMessage>({ role: oneOf('system', 'user', 'assistant'), content: string }),
);

function promptOfRow(row: unknown, line: number): FilePrompt {
  if (isRecord(row) && string(row['prompt']) && row['prompt'] !== '') return row['prompt'];
  if (isRecord(row) && messages(row['messages'])) {
    const asked = withoutAnswer(row['messages']);
    if (asked.length > 0) return asked;
  }
  throw new UnreadableLine(line);
}

/** Drops the answer at the end of a conversation from training data, because the model is to give it. */
function withoutAnswer(conversation: readonly ChatMessage[]): readonly ChatMessage[] {
  return conversation.at(-1)?.role === 'assistant' ? conversation.slice(0, -1) : conversation;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
