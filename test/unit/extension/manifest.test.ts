import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import bundle from '../../../l10n/bundle.l10n.zh-cn.json';
import manifest from '../../../package.json';
import { backendRecipe } from '../../../src/extension/backendProcess.js';
import {
  chatParticipantId,
  chatParticipantName,
  chatVendor,
  commandId,
  commandNames,
  contextKeys,
  panelIds,
  settingNames,
  viewIds,
} from '../../../src/extension/contributions.js';
import { runStatuses, type RunStatus } from '../../../src/protocol/run.js';
import { canPause, canResume, isLive, isOver } from '../../../src/protocol/runs.js';
import { webviewStrings } from '../../../src/protocol/webviewStrings.js';
import english from '../../../package.nls.json';
import { fillInTheMiddleNames } from '../../../src/core/tokenizer/fillInTheMiddleFormats.js';
import chinese from '../../../package.nls.zh-cn.json';
import { saidTexts } from './saidTexts.js';

const text = JSON.stringify(manifest);
const { contributes } = manifest;

test('commands, views, panels and settings of the code are those of package.json', () => {
  expect(contributes.commands.map(({ command }) => command).sort()).toEqual(commandNames.map(commandId).sort());
  expect(contributes.views.loraWorkbench.map(({ id }) => id).sort()).toEqual(Object.values(viewIds).sort());
  expect(Object.keys(contributes.configuration.properties).sort()).toEqual(
    settingNames.map((name) => `loraWorkbench.${name}`).sort(),
  );
  expect(contributes.languageModelChatProviders.map(({ vendor }) => vendor)).toEqual([chatVendor]);
  expect(contributes.chatParticipants).toMatchObject([{ id: chatParticipantId, name: chatParticipantName }]);
});

test('the extension is activated once the window stands, and to bring back each of its panels', () => {
  const restoring = Object.values(panelIds).map((id) => `onWebviewPanel:${id}`);
  expect([...manifest.activationEvents].sort()).toEqual(['onStartupFinished', ...restoring].sort());
});

test('the formats of fill-in-the-middle in the settings are those that the models are asked in', () => {
  const { enum: choices, markdownEnumDescriptions: words } =
    contributes.configuration.properties['loraWorkbench.inlineCompletion.fillInTheMiddle'];
  expect(choices).toEqual(['auto', 'none', ...fillInTheMiddleNames, 'custom']);
  expect(words).toHaveLength(choices.length);
});

/** Menu conditions are text that lists the statuses one by one. */
test.each([
  ['pauseRun', canPause],
  ['resumeRun', canResume],
  ['stopRun', isLive],
  ['startRunNow', (status: RunStatus) => status === 'queued'],
  ['removeFromQueue', (status: RunStatus) => status === 'queued'],
  ['deleteRun', isOver],
] as const)('the menu of a run offers %s where it makes sense', (name, fits) => {
  const { when } = contributes.menus['view/item/context'].find(({ command }) => command === commandId(name))!;
  const pattern = new RegExp(/^viewItem =~ \/(.*)\/$/.exec(when)![1]!);
  expect(runStatuses.filter((status) => pattern.test(`run.${status}`))).toEqual(runStatuses.filter(fits));
});

test('menus name commands that exist, and conditions every context key that does', () => {
  const known = commandNames.map(commandId);
  const entries = Object.values(contributes.menus).flat() as { command: string }[];
  for (const { command } of entries) expect(known).toContain(command);
  const conditions = [...text.matchAll(/"(?:when|enablement)":"([^"]*)"/g)].map((match) =>
    match[1]!.replace(/view == [\w.]+/g, ''),
  );
  const awaited = [...text.matchAll(/"onContext:([^"]*)"/g)].map((match) => match[1]!);
  const keys = [...conditions, ...awaited].flatMap((words) =>
    [...words.matchAll(/loraWorkbench\.(\w+)/g)].map((match) => match[1]!),
  );
  expect([...new Set(keys)].sort()).toEqual([...contextKeys].sort());
});

test('every file that package.json names is there, and no picture or page is left over', () => {
  const named = text + JSON.stringify(english) + JSON.stringify(chinese);
  const paths = [...named.matchAll(/"(?:\.\/)?((?:media|l10n)[\w./-]*)"/g)].map((match) => match[1]!);
  for (const path of paths) expect(existsSync(path), path).toBe(true);
  const pages = paths.filter((path) => path.endsWith('.md')).map((path) => readFileSync(path, 'utf8'));
  const shown = [named, readFileSync('README.md', 'utf8'), ...pages].join();
  const files = readdirSync('media', { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.map(({ name }) => name).filter((name) => !shown.includes(name))).toEqual([]);
});

test('every %key% has its words in English and Chinese, and no words are left over', () => {
  const used = [...new Set([...text.matchAll(/"%([\w.]+)%"/g)].map((match) => match[1]!))].sort();
  expect(Object.keys(english).sort()).toEqual(used);
  expect(Object.keys(chinese).sort()).toEqual(used);
  for (const [key, words] of Object.entries(chinese)) {
    const links = (of: string) => [...of.matchAll(/\(command:[^)]*\)/g)].map(String);
    expect(links(words), key).toEqual(links(english[key as keyof typeof english]));
  }
});

const tagged = saidTexts('src');

test('what the extension, its webviews and its processes say is all there in Chinese, with the same blanks, and no more than that', () => {
  const folder = 'src/extension';
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const sources = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const said = [...sources.matchAll(/l10n\.t\(\s*(?:'([^']*)'|"([^"]*)")/g)].map((match) => match[1] ?? match[2]!);
  expect(said.length).toBeGreaterThan(50);
  expect(tagged.texts.size).toBeGreaterThan(300);
  expect(Object.keys(bundle).sort()).toEqual([...new Set([...said, ...Object.values(webviewStrings()), ...tagged.texts])].sort());
  const blanks = (words: string) => [...words.matchAll(/\{\d\}/g)].map(String).sort();
  for (const [words, translated] of Object.entries(bundle)) expect(blanks(translated), words).toEqual(blanks(words));
});

test('the texts of processes are said, and errors are for people, in the language of the reader', () => {
  expect(tagged.tooEarly).toEqual([]);
  expect(tagged.untagged.filter((place) => !place.startsWith('src/cli/'))).toEqual([]);
});

test('extension.ts only composes', () => {
  expect(readFileSync('src/extension.ts', 'utf8').split('\n').length).toBeLessThan(80);
});

test('the backend is Node also where the program is Electron', () => {
  const { command, args, env } = backendRecipe('/extension', 'zh-cn', { PATH: '/bin' });
  expect(command).toBe(process.execPath);
  expect(args[0]).toMatch(/dist.backend\.js$/);
  expect(env).toEqual({
    PATH: '/bin',
    ELECTRON_RUN_AS_NODE: '1',
    LORA_WORKBENCH_TRANSLATIONS: join('/extension/l10n/bundle.l10n.zh-cn.json'),
  });
});
