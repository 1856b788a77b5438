import { t } from '../../../l10n/text.js';
import { UserError } from '../../errors.js';
import type { ChatMessage, Tokenizer } from '../../tokenizer/tokenizer.js';
import { ignoredLabel } from '../batch.js';
import { sharedLength, type EncodingContext } from '../sequence.js';
import { Unusable } from '../source.js';
import type { Row, RowFormat } from './format.js';

/**
 * Conversations in the formats of OpenAI (`messages` with role and content) and ShareGPT (`conversations` with from and value),
 * rendered with the model's chat template. The loss counts what the assistant says and the token that ends its turn.
 */
export const chat: RowFormat = {
  name: 'chat',
  fields: { messages: 'conversation', conversations: 'conversation', system: 'system prompt' },
  tooLong: 'cut',
  recognises: (row) => 'messages' in row || 'conversations' in row,
  encode(row, context) {
    const messages = conversation(row);
    if (!messages.some(isAssistant)) throw new Unusable(t`it has no assistant message`);
    const text = render(messages, context.tokenizer, false);
    const inputIds = context.tokenizer.encode(text, { addSpecialTokens: false });
    if (context.trainOnPrompt) return { inputIds, labels: inputIds.slice() };
    const labels = new Int32Array(inputIds.length).fill(ignoredLabel);
    for (const [start, end] of assistantSpans(messages, text, inputIds, context))
      labels.set(inputIds.subarray(start, end), start);
    return { inputIds, labels };
  },
};

/** Templates may print the date; with a fixed one, a run gives the same sequences every day. This is LLaMA 3.1's default. */
const templateDate = new Date(2024, 6, 26);

const isAssistant = ({ role }: ChatMessage) => role === 'assistant';

/**
 * Token ranges of the assistant's turns. The whole text must begin with the conversation up to a turn plus the generation prompt,
 * and also with the conversation including the turn; the turn is then what lies between the two.
 */
function* assistantSpans(
  messages: readonly ChatMessage[],
  text: string,
  inputIds: Int32Array,
  { tokenizer, maxSequenceLength }: EncodingContext,
): Generator<[number, number]> {
  const tokensOf = (beginning: string) => {
    if (!text.startsWith(beginning))
      throw new Unusable(t`the model's chat template changes earlier turns when later ones follow; split it into single answers`);
    return sharedLength(tokenizer.encode(beginning, { addSpecialTokens: false }), inputIds);
  };
  for (const [index, message] of messages.entries()) {
    if (!isAssistant(message)) continue;
    const start = tokensOf(render(messages.slice(0, index), tokenizer, true));
    if (start >= maxSequenceLength) return;
    const end = tokensOf(render(messages.slice(0, index + 1), tokenizer, false));
    yield [start, endOfTurn(inputIds, start, end, tokenizer)];
  }
}

/** Just after the last end token of the turn; the model should not learn the line break that a template may add after it. */
function endOfTurn(inputIds: Int32Array, start: number, end: number, { stopIds }: Tokenizer): number {
  for (let index = end; index > start; index--) if (stopIds.includes(inputIds[index - 1]!)) return index;
  return end;
}

function render(messages: readonly ChatMessage[], tokenizer: Tokenizer, addGenerationPrompt: boolean): string {
  try {
    return tokenizer.applyChatTemplate(messages, { addGenerationPrompt, now: templateDate });
  } catch (error) {
    // A template may reject a single conversation, for instance two user turns in a row; without a template, none can be used.
    if (error instanceof UserError && tokenizer.hasChatTemplate) throw new Unusable(error.message);
    throw error;
  }
}

/** ShareGPT's speaker names. */
const roles: Readonly<Record<string, string>> = {
  human: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  model: 'assistant',
};

/** The messages of a row; a ShareGPT row may have its system prompt in a separate field. */
export function conversation(row: Row): ChatMessage[] {
  const turns = row.messages ?? row.conversations;
  if (!Array.isArray(turns) || turns.length === 0) throw new Unusable(t`it has no list of messages`);
  const messages = turns.map(message);
  return typeof row.system === 'string' && row.system !== '' ? [{ role: 'system', content: row.system }, ...messages] : messages;
}

function message(turn: unknown, index: number): ChatMessage {
  const { role: openAiRole, from, content: openAiContent, value } = (turn ?? {}) as Row;
  const role = openAiRole ?? from;
  const content = contentText(openAiContent ?? value);
  if (typeof role !== 'string' || content === null) throw new Unusable(t`message ${index + 1} has no role or no text`);
  return { role: Object.hasOwn(roles, role) ? roles[role]! : role, content };
}

/** The text of a message: a string, or OpenAI's list of parts if all of them are text; otherwise null. */
function contentText(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const parts = content.map((part) => (part as Row | null)?.text);
  return parts.every((part) => typeof part === 'string') ? parts.join('') : null;
}
