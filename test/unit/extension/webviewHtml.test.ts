import { expect, test } from 'vitest';
import { webviewHtml } from '../../../src/extension/webviews/webviewHtml.js';

const resources = { script: 'https://x/s.js', style: 'https://x/s.css', cspSource: 'https://x', language: 'en' };

test('nothing runs in a webview but the script with this page’s nonce', () => {
  const html = webviewHtml('monitor', resources);
  const policy = /content="([^"]*)"/.exec(html)![1]!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|http:/);
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)![1]!;
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(html).toContain(`nonce="${nonce}"`);
  expect(webviewHtml('monitor', resources)).not.toContain(nonce);
});
