// Activates dist/extension.js against a VS Code that does nothing, in this fresh process; prints the cost and what was loaded.
// Modules that VS Code's own process has read long before.
import 'node:child_process';
import 'node:crypto';
import 'node:fs/promises';
import Module, { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';

class EventEmitter {
  event = () => new Disposable();
  fire() {}
  dispose() {}
}
class Disposable {
  static from() {
    return new Disposable();
  }
  dispose() {}
}

/** Has every property, can be called and constructed, and does nothing. */
const anything = new Proxy(function () {}, {
  get: (_, name) => (name === 'then' ? undefined : name === Symbol.toPrimitive ? () => 'anything' : anything),
  set: () => true,
  apply: () => anything,
  construct: () => anything,
});
const vscode = {
  ...Object.fromEntries(
    ['window', 'commands', 'languages', 'lm', 'chat', 'env', 'Uri', 'StatusBarAlignment', 'FileType'].map((name) => [
      name,
      anything,
    ]),
  ),
  EventEmitter,
  Disposable,
  l10n: { t: (text) => text },
  workspace: new Proxy(
    {
      isTrusted: true,
      workspaceFolders: [],
      textDocuments: [],
      getConfiguration: () => ({ get: () => 'runs' }),
      fs: { readDirectory: async () => [] },
    },
    { get: (own, name) => own[name] ?? anything },
  ),
};

const loaded = [];
const load = Module._load;
Module._load = function (request, ...rest) {
  if (request === 'vscode') return vscode;
  loaded.push(request);
  return load.call(this, request, ...rest);
};

const memento = { get: () => undefined, update: async () => undefined };
const context = {
  extensionUri: anything,
  extensionPath: '/',
  globalStorageUri: anything,
  subscriptions: [],
  workspaceState: memento,
  globalState: memento,
  secrets: anything,
};
const require = createRequire(import.meta.url);
const path = resolve('dist/extension.js');
const processorBefore = process.cpuUsage();
const before = performance.now();
require(path).activate(context);
const wallMs = performance.now() - before;
const { user, system } = process.cpuUsage(processorBefore);
console.log(
  JSON.stringify({
    wallMs,
    processorMs: (user + system) / 1000,
    loaded: loaded.slice(1),
    subscriptions: context.subscriptions.length,
  }),
);
