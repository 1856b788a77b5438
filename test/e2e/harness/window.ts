import { mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { chromium, type BrowserContext, type Frame, type Locator, type Page } from 'playwright-core';
import type { View } from '../../../src/protocol/views/registry.js';
import { findChromium } from '../../../scripts/chromium.mjs';

const screenshots = 'build/screenshots';

export interface WindowOptions {
  /** Folder of a second extension, which is loaded from its source. */
  readonly developedExtension?: string | undefined;
  /** VS Code's display language; without a language pack, its own texts stay English. */
  readonly language?: string | undefined;
}

/** A VS Code window in a real browser, operated as a person would. */
export class Window {
  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
  ) {}

  static async open(
    url: string,
    folder: string,
    profile: string,
    { developedExtension, language }: WindowOptions = {},
  ): Promise<Window> {
    const executablePath = findChromium();
    if (!executablePath) throw new Error('There is no Chromium: node scripts/chromium.mjs installs it.');
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      viewport: { width: 1440, height: 900 },
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const window = new Window(page, context);
    await context.addInitScript({ content: takeServiceWorkersAsTheyCome });
    if (language) await context.addInitScript({ content: `globalThis._VSCODE_NLS_LANGUAGE = '${language}';` });
    const query = new URLSearchParams({
      folder,
      ...(developedExtension ? { payload: development(url, developedExtension) } : {}),
    });
    await page.goto(`${url}/?${query}`);
    await window.workbenchReady();
    return window;
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.workbenchReady();
  }

  async close(): Promise<void> {
    await this.context.close();
  }

  /** Runs a command from the palette by its title: "LoRA Workbench: Fine-Tune…". */
  async command(title: string): Promise<void> {
    const name = this.page.locator('.label-name').getByText(title, { exact: true });
    const row = this.page.locator('.quick-input-list .monaco-list-row', { has: name }).first();
    // The list is built when words are typed, so it lacks a command that becomes available later; and it closes when a view that
    // opens takes the focus.
    for (let attempt = 1; ; attempt++) {
      await this.openQuickInput('F1', `>${title}`);
      if (await succeeds(row.click({ timeout: 3000 }))) break;
      if (attempt === 20) throw new Error(`The palette does not offer ${title}.`);
      await this.page.keyboard.press('Escape');
    }
    await row.waitFor({ state: 'hidden' });
  }

  /** The titles that the palette offers for the given words. */
  async paletteOffers(words: string): Promise<string[]> {
    await this.openQuickInput('F1', `>${words}`);
    await this.page.waitForTimeout(500);
    const titles = await this.page.locator('.quick-input-list .monaco-list-row .label-name').allTextContents();
    await this.page.keyboard.press('Escape');
    return titles;
  }

  /** Runs a command that asks a question, and answers it. */
  async commandOn(title: string, choice: string): Promise<void> {
    await this.command(title);
    await this.pick(choice);
  }

  /** Runs a command that offers several items, and ticks all of them. */
  async commandOnAll(title: string): Promise<void> {
    await this.command(title);
    const question = this.page.locator('.quick-input-widget');
    await question.getByRole('checkbox', { name: /all/i }).first().check();
    await question.getByRole('button', { name: 'OK' }).click();
  }

  /** Answers a question that asks for text, by words of the question. */
  async answer(question: RegExp, text: string): Promise<void> {
    const widget = this.page.locator('.quick-input-widget', { hasText: question });
    await widget.locator('input').first().fill(text);
    await this.page.keyboard.press('Enter');
    await widget.waitFor({ state: 'hidden' });
  }

  /** Answers the open quick pick. */
  async pick(text: string): Promise<void> {
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first().click({ timeout: 10_000 });
  }

  /** Changes the colour theme, by its name in the list of themes. */
  async useTheme(name: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input[aria-controls]').first();
    for (let attempt = 1; ; attempt++) {
      await this.command('Preferences: Color Theme');
      // The palette's text is gone once the list of themes has replaced it.
      while ((await input.inputValue()) !== '') await this.page.waitForTimeout(50);
      await input.fill(name);
      if (await succeeds(this.pick(name))) break;
      if (attempt === 5) throw new Error(`There is no theme ${name}.`);
      await this.page.keyboard.press('Escape');
    }
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Types a number into the settings editor, which stays open behind whatever is opened next. */
  async typeSetting(id: string, value: number): Promise<void> {
    await this.command('Preferences: Open Settings (UI)');
    const settings = this.page.locator('.settings-editor');
    await settings.locator('.settings-header .view-lines').click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.insertText(`@id:${id}`);
    await settings.locator(`[data-key="${id}"] input`).fill(String(value));
  }

  async openFile(name: string): Promise<Locator> {
    const editor = this.page.locator(`.editor-instance .monaco-editor[data-uri$="/${name}"]`);
    for (let attempt = 1; ; attempt++) {
      await this.openQuickInput('Control+P', name);
      await succeeds(this.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().click({ timeout: 5000 }));
      if (await succeeds(editor.waitFor({ timeout: 5000 }))) return editor;
      if (attempt === 5) throw new Error(`${name} does not open: see ${await this.screenshot('without-file')}.`);
      await this.page.keyboard.press('Escape');
    }
  }

  /** Brings an open editor to the front, by the title on its tab. */
  async showTab(title: string): Promise<void> {
    await this.page.locator('.tabs-container .tab', { hasText: title }).click();
  }

  /** Closes an editor that has nothing to save. */
  async closeTab(title: string): Promise<void> {
    const tab = this.page.locator('.tabs-container .tab', { hasText: title });
    await tab.click({ button: 'middle' });
    await tab.waitFor({ state: 'detached' });
  }

  /** The text of the hover over an element of an editor. */
  async hover(target: Locator): Promise<string> {
    const hover = this.page.locator('.monaco-hover:not(.hidden) .hover-contents, .monaco-hover:not(.hidden) .markdown-hover');
    for (let attempt = 1; ; attempt++) {
      await this.page.mouse.move(0, 0);
      if (await succeeds(target.hover({ timeout: 5000 }).then(() => hover.first().waitFor({ timeout: 5000 })))) break;
      if (attempt === 5) throw new Error(`A hover says nothing: see ${await this.screenshot('without-hover')}.`);
    }
    return (await hover.allTextContents()).join('\n').replaceAll('\u00a0', ' ');
  }

  /** A file in the explorer. */
  file(name: string): Locator {
    return this.page.locator('.explorer-folders-view .monaco-list-row', { hasText: name });
  }

  /** Chooses from the context menu of a row; a menu that has just opened may not accept clicks yet. */
  async contextMenu(row: Locator, item: string): Promise<void> {
    const action = this.page.locator('.context-view .action-item', { hasText: item });
    await row.click({ button: 'right' });
    await action.waitFor();
    await this.page.waitForTimeout(300);
    await action.click();
    await action.waitFor({ state: 'hidden' });
  }

  /** The user works in another program until `comeBack`; a browser without a screen always believes that it has the focus. */
  async lookAway(): Promise<void> {
    await this.page.evaluate(() => {
      document.hasFocus = () => false;
      window.dispatchEvent(new Event('blur'));
    });
  }

  async comeBack(): Promise<void> {
    await this.page.evaluate(() => {
      document.hasFocus = () => true;
      window.dispatchEvent(new Event('focus'));
    });
  }

  /** The page of one of our webviews, once its content is there. */
  async webview(view: View): Promise<Frame> {
    for (let attempt = 1; attempt <= 5; attempt++) {
      // When shown again, a webview stays empty until the browser's service worker responds; VS Code has a command to reload it.
      if (attempt > 1) await this.command('Developer: Reload Webviews');
      const deadline = Date.now() + 15_000;
      while (Date.now() < deadline) {
        for (const frame of this.page.frames()) {
          const filled = (name: string): boolean =>
            document.body?.dataset['view'] === name && document.querySelector('main')?.firstElementChild != null;
          if (await frame.evaluate(filled, view).catch(() => false)) return frame;
        }
        await this.page.waitForTimeout(200);
      }
    }
    throw new Error(`The webview ${view} did not appear: see ${await this.screenshot(`without-${view}`)}.`);
  }

  /** Types a path into VS Code's own file dialog. */
  async answerFileDialog(path: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input[aria-controls]').first();
    // It starts with a folder, once it has read that folder.
    while (!/^\/./.test(await input.inputValue())) await this.page.waitForTimeout(50);
    for (let attempt = 1; ; attempt++) {
      await input.fill(path);
      // Enter would choose the initial folder if the dialog has not read the path yet. A file to be saved has no row to wait for.
      const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: basename(path) }).first();
      await succeeds(row.waitFor({ timeout: 1500 }));
      await this.page.keyboard.press('Enter');
      if (await succeeds(input.waitFor({ state: 'hidden', timeout: 3000 }))) return;
      if (attempt === 5) throw new Error(`The dialog does not take ${path}: see ${await this.screenshot('with-file-dialog')}.`);
    }
  }

  /** A message, in the list of notifications, because toasts come and go. */
  async notification(text: RegExp): Promise<Locator> {
    await this.command('Notifications: Show Notifications');
    const message = this.page.locator('.notifications-center .notification-list-item', { hasText: text }).first();
    await message.waitFor({ timeout: 60_000 });
    return message;
  }

  statusBar(text: string | RegExp): Locator {
    return this.page.locator('.statusbar-item', { hasText: text });
  }

  /** A row of a tree in the side bar, by the view's title. */
  treeRow(view: string, text: string | RegExp): Locator {
    return this.pane(view).locator('.monaco-list-row', { hasText: text }).first();
  }

  /** A view in the side bar, by its title. */
  pane(title: string): Locator {
    return this.page.locator('.pane', { has: this.page.locator(`.pane-header[aria-label^="${title}"]`) });
  }

  /** Saves a screenshot; returns its path. */
  async screenshot(name: string): Promise<string> {
    mkdirSync(screenshots, { recursive: true });
    const path = join(screenshots, `${name}.png`);
    await this.page.screenshot({ path });
    return path;
  }

  /** A key pressed while a webview or nothing at all has the focus is lost; if so, focuses the workbench and tries again. */
  private async openQuickInput(key: string, text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input[aria-controls]').first();
    for (let attempt = 1; ; attempt++) {
      await this.page.keyboard.press(key);
      if (await succeeds(input.fill(text, { timeout: 3000 }))) return;
      if (attempt === 8) throw new Error(`${key} opened nothing: see ${await this.screenshot('without-quick-input')}.`);
      await succeeds(this.page.locator('.statusbar').click({ timeout: 3000 }));
    }
  }

  private async workbenchReady(): Promise<void> {
    await this.page.locator('.monaco-workbench .activitybar').waitFor({ timeout: 60_000 });
    await this.page.locator('.statusbar').waitFor();
  }
}

/** Tells the workbench to load an extension from its source on the server. */
function development(url: string, extension: string): string {
  return JSON.stringify([['extensionDevelopmentPath', `vscode-remote://${new URL(url).host}${resolve(extension)}`]]);
}

function succeeds(action: Promise<unknown>): Promise<boolean> {
  return action.then(
    () => true,
    () => false,
  );
}

/**
 * Runs in every frame. VS Code's webviews wait for their service worker to change, and wait forever if it did so slightly too
 * early, which happens on slow machines; here, registering ends once a worker is in control. code-server's own worker is not
 * needed. This is a string, because compilers add calls of their helpers to functions.
 */
const takeServiceWorkersAsTheyCome = `{
  const { serviceWorker } = navigator;
  const register = serviceWorker?.register.bind(serviceWorker);
  if (serviceWorker) serviceWorker.register = async (path, options) => {
    if (self === top) return new Promise(() => undefined);
    await register(path, options);
    while (!serviceWorker.controller) await new Promise((done) => setTimeout(done, 20));
    const settled = { installing: null, waiting: null, update: async () => settled };
    return settled;
  };
}`;
