/** @file Prompts of a file: one a line, or JSONL with `prompt` or `messages`. */
import type { ChatMessage } from '../protocol/backend.js';
import { isRecord, list, object, oneOf, string, type Guard } from '../protocol/guard.js';

/** A text, or a conversation to be answered. */
export type FilePrompt = string | readonly ChatMessage[];

/** A line that holds no prompt. */
export class UnreadableLine extends Error {
  constructor(readonly line: number) {
    super(`line ${line} holds no prompt`);
  }
}

/** Blank lines are left out. Throws UnreadableLine. */
export function parsePrompts(content: string, kind: 'text' | 'jsonl'): readonly FilePrompt[] {
  const lines = content.replace(/^\uFEFF/, '').split(/\r?\n/);
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    return [kind === 'text' ? line : promptOfRow(parseJson(line), index + 1)];
  });
}

/** What a table shows of it. */
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

/** Training data ends with the answer, which is for the model to give. */
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
