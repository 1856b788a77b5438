import { randomBytes } from 'node:crypto';
import type { View } from '../../protocol/views/registry.js';

interface PageResources {
  readonly script: string;
  readonly style: string;
  /** Where the page may load styles, fonts and images from. */
  readonly cspSource: string;
  readonly language: string;
}

/** A page that contains only its script; all content arrives as messages, never as markup. */
export function webviewHtml(view: View, { script, style, cspSource, language }: PageResources): string {
  const nonce = randomBytes(16).toString('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    `img-src ${cspSource} data:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${language}">
  <head>
    <meta charset="UTF-8">
    <meta http-equiv="Content-Security-Policy" content="${policy}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="stylesheet" href="${style}">
    <title>LoRA Workbench</title>
  </head>
  <body data-view="${view}">
    <script type="module" nonce="${nonce}" src="${script}"></script>
  </body>
</html>`;
}
