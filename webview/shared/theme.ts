/** @file The colours of the editor's theme, for canvases; everything else gets them through CSS. */
import { color as parseColor } from 'chart.js/helpers';
import { whenViewEnds } from './lifetime.js';

export interface Theme {
  readonly foreground: string;
  readonly mutedForeground: string;
  readonly background: string;
  readonly grid: string;
  /** One per run, reused in turn. */
  readonly palette: readonly string[];
  readonly fontFamily: string;
  readonly highContrast: boolean;
}

export function readTheme(): Theme {
  const style = getComputedStyle(document.body);
  const color = (...names: readonly string[]) =>
    names.map((name) => style.getPropertyValue(name).trim()).find(Boolean) ?? style.color;
  const highContrast = /vscode-high-contrast/.test(document.body.className);
  const foreground = color('--vscode-charts-foreground', '--vscode-foreground');
  return {
    foreground,
    mutedForeground: highContrast ? foreground : color('--vscode-descriptionForeground', '--vscode-foreground'),
    background: color('--vscode-editor-background'),
    grid: parseColor(color('--vscode-charts-foreground', '--vscode-foreground'))
      .alpha(highContrast ? 0.6 : 0.14)
      .rgbString(),
    // Orange comes last because the standard themes make it pale.
    palette: ['blue', 'green', 'purple', 'yellow', 'red', 'orange'].map((name) => color(`--vscode-charts-${name}`)),
    fontFamily: style.fontFamily,
    highContrast,
  };
}

/** VS Code changes the class of the body and the variables on the root element. */
export function onThemeChange(changed: () => void): void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributeFilter: ['class'] });
  observer.observe(document.documentElement, { attributeFilter: ['style'] });
  whenViewEnds(() => {
    observer.disconnect();
  });
}
