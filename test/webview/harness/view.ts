import axe from 'axe-core';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { findChromium } from '../../../scripts/chromium.mjs';
import { webviewHtml } from '../../../src/extension/webviews/webviewHtml.js';
import type { FromWebview, StateOf, View as ViewName } from '../../../src/protocol/views/registry.js';
import { themes, themeVariables, type ThemeName } from './themes.js';

const origin = 'https://webview.test';
const contentTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.ttf': 'font/ttf',
};
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('These tests need Chromium: node scripts/chromium.mjs');
  return chromium.launch({ executablePath, args: flags });
}

export interface ViewOptions {
  readonly theme?: ThemeName;
  readonly width?: number;
  readonly height?: number;
  /** What setState kept from an earlier session. */
  readonly remembered?: unknown;
  readonly strings?: Readonly<Record<string, string>>;
}

/** A webview as VS Code would show it, with the host's own page and policy; the test plays the host's part. */
export class View {
  readonly errors: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly strings: Readonly<Record<string, string>>,
  ) {
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  static async open<V extends ViewName>(browser: Browser, name: V, state: StateOf<V>, options: ViewOptions = {}): Promise<View> {
    const { theme = 'dark', width = 1280, height = 860, remembered, strings = {} } = options;
    const page = await browser.newPage({ viewport: { width, height }, reducedMotion: 'reduce' });
    const view = new View(page, strings);
    await page.route('**/*', (route) => route.fulfill(answer(name, new URL(route.request().url()).pathname)));
    await page.addInitScript(playHost, {
      variables: themeVariables(theme),
      bodyClass: themes[theme].bodyClass,
      remembered,
    });
    await page.goto(`${origin}/`);
    await view.waitForPost('ready');
    await view.hydrate(state);
    return view;
  }

  async hydrate(state: StateOf<ViewName>): Promise<void> {
    await this.send({ type: 'hydrate', state, strings: this.strings, locale: 'en' });
    await this.settle();
  }

  /** `unknown`, because tests send nonsense as well. */
  async send(...messages: readonly unknown[]): Promise<void> {
    await this.page.evaluate((all) => {
      for (const data of all) window.dispatchEvent(new MessageEvent('message', { data }));
    }, messages);
  }

  async posted(): Promise<FromWebview[]> {
    return this.page.evaluate(() => (window as unknown as { posted: FromWebview[] }).posted);
  }

  async waitForPost<T extends FromWebview['type']>(type: T): Promise<Extract<FromWebview, { type: T }>> {
    await this.page.waitForFunction(
      (wanted) => (window as unknown as { posted: FromWebview[] }).posted.some((message) => message.type === wanted),
      type,
    );
    return (await this.posted()).findLast((message): message is Extract<FromWebview, { type: T }> => message.type === type)!;
  }

  /** What setState received last. */
  async remembered(): Promise<unknown> {
    return this.page.evaluate(() => (window as unknown as { remembered: unknown }).remembered);
  }

  /** Waits until lazy drawing is done, then for two frames: one to draw, one to be shown. */
  async settle(): Promise<void> {
    await this.page.waitForFunction(() => document.querySelector('[data-stale]') === null);
    await this.page.evaluate(
      () =>
        new Promise((done) =>
          requestAnimationFrame(() =>
            requestAnimationFrame(() => {
              setTimeout(done, 30);
            }),
          ),
        ),
    );
  }

  /** Serious and critical findings of axe, one per line. */
  async accessibilityFaults(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate(() =>
      (window as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }),
    );
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return grave.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary ?? ''}`));
  }

  /** How many pixels of a canvas have approximately this colour. */
  async pixels(selector: string, color: string): Promise<number> {
    return this.page.locator(selector).evaluate((canvas: HTMLCanvasElement, wanted) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(wanted.slice(at, at + 2), 16)) as [number, number, number];
      let found = 0;
      for (let at = 0; at < data.length; at += 4) {
        const near = Math.abs(data[at]! - red) + Math.abs(data[at + 1]! - green) + Math.abs(data[at + 2]! - blue) < 24;
        if (near && data[at + 3]! > 200) found++;
      }
      return found;
    }, color);
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}

function answer(view: ViewName, path: string): { status: number; contentType?: string; body: string | Buffer } {
  if (path === '/') {
    const body = webviewHtml(view, {
      script: `${origin}/${view}.js`,
      style: `${origin}/webview.css`,
      cspSource: origin,
      language: 'en',
    });
    return { status: 200, contentType: 'text/html', body };
  }
  const file = join('dist/webview', path);
  if (!existsSync(file)) return { status: path === '/favicon.ico' ? 204 : 404, body: '' };
  return {
    status: 200,
    contentType: contentTypes[extname(path)] ?? 'application/octet-stream',
    body: readFileSync(file),
  };
}

interface PlayedHost {
  readonly variables: Readonly<Record<string, string>>;
  readonly bodyClass: string;
  readonly remembered: unknown;
}

/** Runs in the page: provides what VS Code gives a webview. */
function playHost({ variables, bodyClass, remembered }: PlayedHost): void {
  const host = Object.assign(window as unknown as Record<string, unknown>, { posted: [] as unknown[], remembered });
  host['acquireVsCodeApi'] = () => ({
    postMessage: (message: unknown) => {
      host['readyAt'] ??= performance.now();
      (host['posted'] as unknown[]).push(structuredClone(message));
    },
    getState: () => host['remembered'],
    setState: (state: unknown) => {
      host['remembered'] = structuredClone(state);
    },
  });
  const dress = () => {
    for (const [name, value] of Object.entries(variables)) document.documentElement.style.setProperty(name, value);
    document.body.className = bodyClass;
  };
  if (document.body) dress();
  else document.addEventListener('DOMContentLoaded', dress);
}
