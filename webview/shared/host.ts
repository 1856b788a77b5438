/** @file The line to the extension: everything that arrives is checked, everything that is posted is typed. */
import type { Shape } from '../../src/protocol/shape.js';
import type { FromWebview, Hydrate, ToWebview, WebviewStates, WebviewView } from '../../src/protocol/webview.js';
import { isToWebview } from '../../src/protocol/webviewMessages.js';
import { endView } from './lifetime.js';
import { useLanguage } from './text.js';

const api = acquireVsCodeApi();

export function post(message: FromWebview): void {
  api.postMessage(message);
}

/** How the view was looked at before it was hidden; the fallback where there is nothing, or something of another version. */
export function rememberedLook<T>(shape: Shape<T>, fallback: T): T {
  const remembered: unknown = api.getState();
  return shape(remembered) ? remembered : fallback;
}

export function rememberLook(look: unknown): void {
  api.setState(look);
}

/** Messages after `hydrate`. */
export type Receiver = (message: Exclude<ToWebview, Hydrate>) => void;

/** Builds the view whenever the host hydrates it. `open` fills the body and returns who takes the increments. */
export function startView<V extends WebviewView>(view: V, open: (state: WebviewStates[V]) => Receiver): void {
  let receive: Receiver | undefined;
  window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (!isToWebview(data)) return;
    if (data.type !== 'hydrate') return receive?.(data);
    if (data.view !== view) return;
    endView();
    useLanguage(data.strings, data.locale);
    document.body.replaceChildren();
    receive = open(data.state as WebviewStates[V]);
  });
  post({ type: 'ready' });
}
