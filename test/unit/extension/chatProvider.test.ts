/** @file VS Code asks for the chat models again whenever they are reported to have changed, so asking must not change them. */
import { expect, test, vi } from 'vitest';
import type { AdapterInfo, FoundModels } from '../../../src/protocol/backend.js';
import { adapters, models } from '../../webview/harness/scenes.js';

vi.mock('vscode', () => {
  class EventEmitter<T> {
    private readonly listeners: ((value: T) => void)[] = [];
    readonly event = (listener: (value: T) => void) => this.listeners.push(listener);
    readonly fire = (value: T) => {
      for (const listener of this.listeners) listener(value);
    };
  }
  const windowState = new EventEmitter<{ focused: boolean; active: boolean }>();
  const window = { state: { focused: true }, onDidChangeWindowState: windowState.event, windowState };
  return { EventEmitter, window, workspace: { isTrusted: true }, l10n: { t: (text: string) => text } };
});
const { window } = (await import('vscode')) as unknown as { window: { windowState: { fire(state: object): void } } };
const { Catalog } = await import('../../../src/extension/catalog.js');
const { ChatProvider } = await import('../../../src/extension/chatProvider.js');

/** Acts as VS Code does: asks at first, and again on every change. */
function chatOn(found: () => FoundModels) {
  const asked = { backend: 0, provider: 0 };
  const live = {
    request: async () => {
      asked.backend++;
      return structuredClone(found());
    },
  };
  let started: ((backend: unknown) => void) | undefined;
  const handlers: Record<string, () => void> = {};
  const backend = {
    handle: (method: string, handler: () => void) => (handlers[method] = handler),
    onDidStart: (listener: (backend: unknown) => void) => (started = listener),
    ready: async () => {
      started?.(live);
      started = undefined;
      backend.running = Promise.resolve(live);
      return live;
    },
    wake: async () => void (await backend.ready()),
    running: undefined as Promise<unknown> | undefined,
  };
  const catalog = new Catalog(backend as never);
  const provider = new ChatProvider(backend as never, catalog, undefined as never);
  let shown: readonly { name: string }[] = [];
  const ask = async () => {
    if (++asked.provider > 50) throw new Error('asked without an end');
    shown = await provider.provideLanguageModelChatInformation();
  };
  provider.onDidChangeLanguageModelChatInformation(() => void ask());
  const settle = () => new Promise((resolve) => setTimeout(resolve, 50));
  return {
    asked,
    ask,
    settle,
    giveUp: () => (backend.running = undefined),
    changed: () => handlers['loraWorkbench/models/changed']!(),
    shown: () => shown,
  };
}

test.each([
  ['nothing is there', { models: [], adapters: [] }],
  ['there are adapters', { models, adapters }],
])('where %s, VS Code asks twice and the backend looks once', async (_case, found: FoundModels) => {
  const chat = chatOn(() => found);
  await chat.ask();
  await chat.settle();
  expect(chat.asked).toEqual({ backend: 1, provider: 2 });
});

test('a new adapter is one more look and one more question, and a look that finds nothing new is none', async () => {
  let found: { models: typeof models; adapters: readonly AdapterInfo[] } = { models, adapters: [] };
  const chat = chatOn(() => found);
  await chat.ask();
  await chat.settle();
  found = { models, adapters };
  chat.changed();
  await chat.settle();
  expect(chat.asked).toEqual({ backend: 2, provider: 3 });
  expect(chat.shown().length).toBeGreaterThan(0);
  chat.changed();
  await chat.settle();
  expect(chat.asked).toEqual({ backend: 3, provider: 3 });
});

test('the backend looks again when the user comes back to the window, but not after a pause in it, and not once it was given up', async () => {
  const chat = chatOn(() => ({ models, adapters }));
  const state = async (focused: boolean, active: boolean) => {
    window.windowState.fire({ focused, active });
    await chat.settle();
  };
  await state(false, false);
  await state(true, true);
  expect(chat.asked.backend).toBe(0);
  await chat.ask();
  await chat.settle();
  await state(true, false);
  await state(true, true);
  expect(chat.asked.backend).toBe(1);
  await state(false, false);
  await state(true, true);
  expect(chat.asked.backend).toBe(2);
  chat.giveUp();
  await state(false, false);
  await state(true, true);
  expect(chat.asked.backend).toBe(2);
});
