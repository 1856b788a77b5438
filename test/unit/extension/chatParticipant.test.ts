/** @file `@adapter` in VS Code's chat: which messages of a conversation the adapter gets, and what is said if there is none. */
import { beforeEach, expect, test, vi } from 'vitest';

type Handler = (request: unknown, context: unknown, stream: unknown, token: unknown) => Promise<void>;
interface Said {
  readonly role: number;
  readonly content: string;
}

const host = vi.hoisted(() => ({ handler: undefined as unknown, isTrusted: true, models: [] as unknown[] }));
vi.mock('vscode', () => ({
  chat: { createChatParticipant: (_id: string, handler: unknown) => (host.handler = handler) },
  lm: { selectChatModels: async () => host.models },
  l10n: { t: (text: string) => text },
  workspace: {
    get isTrusted() {
      return host.isTrusted;
    },
  },
  LanguageModelChatMessageRole: { User: 1, Assistant: 2 },
  LanguageModelChatMessage: {
    User: (content: string) => ({ role: 1, content }),
    Assistant: (content: string) => ({ role: 2, content }),
  },
  ChatRequestTurn: class {
    constructor(readonly prompt: string) {}
  },
  ChatResponseMarkdownPart: class {
    readonly value: { value: string };
    constructor(value: string) {
      this.value = { value };
    }
  },
}));
const vscode = (await import('vscode')) as unknown as {
  ChatRequestTurn: new (prompt: string) => unknown;
  ChatResponseMarkdownPart: new (text: string) => unknown;
};
const { registerChatParticipant } = await import('../../../src/extension/chatParticipant.js');

const question = (prompt: string) => new vscode.ChatRequestTurn(prompt);
const answer = (text: string) => ({ response: [new vscode.ChatResponseMarkdownPart(text)] });
let sent: readonly Said[] = [];
const model = {
  vendor: 'lora-workbench',
  id: 'a',
  maxInputTokens: 10,
  countTokens: async ({ content }: Said) => content.length,
  sendRequest: async (messages: readonly Said[]) => {
    sent = messages;
    return { text: ['an', 'swer'] };
  },
};

async function ask(prompt: string, history: readonly unknown[] = [], chosen: object = model): Promise<string> {
  registerChatParticipant();
  let shown = '';
  const stream = { markdown: (text: string) => (shown += text), button: () => undefined, progress: () => undefined };
  await (host.handler as Handler)({ prompt, model: chosen }, { history }, stream, undefined);
  return shown;
}

beforeEach(() => {
  Object.assign(host, { isTrusted: true, models: [model] });
  sent = [];
});

test('the adapter gets the conversation so far, and its answer is shown', async () => {
  expect(await ask('c?', [question('a?'), answer('b.')])).toBe('answer');
  expect(sent.map(({ role, content }) => [role, content])).toEqual([
    [1, 'a?'],
    [2, 'b.'],
    [1, 'c?'],
  ]);
});

test('a conversation that is too long loses its beginning, up to a question', async () => {
  const history = [question('first?'), answer('yes.'), question('2nd?'), answer('no.')];
  await ask('so?', history); // 3 + 3 + 4 tokens fit
  expect(sent.map(({ content }) => content)).toEqual(['2nd?', 'no.', 'so?']);
  await ask('really?', history); // 7 + 3 would fit, but an answer is no beginning
  expect(sent.map(({ content }) => content)).toEqual(['really?']);
  await ask('longer than all that it reads?', history);
  expect(sent.map(({ content }) => content)).toEqual(['longer than all that it reads?']);
});

test('if another model is chosen, the first adapter answers; without one, or without trust, the chat says why', async () => {
  const other = { vendor: 'copilot', id: 'x' };
  expect(await ask('a?', [], other)).toBe('answer');
  host.models = [];
  expect(await ask('a?', [], other)).toMatch(/^There is no adapter to chat with/);
  host.isTrusted = false;
  expect(await ask('a?')).toMatch(/^This workspace is not trusted/);
});
