/** @file The connection to the extension: everything that arrives is checked, everything that is posted is typed. */
import type { Guard } from '../../src/protocol/guard.js';
import {
  isHydrateFor,
  isToWebview,
  type FromWebview,
  type StateOf,
  type ToWebview,
  type View,
} from '../../src/protocol/views/registry.js';
import { typeOfMessage } from '../../src/protocol/views/view.js';
import { endView } from './lifetime.js';
import { useLanguage } from './text.js';

const api = acquireVsCodeApi();

export function post(message: FromWebview): void {
  api.postMessage(message);
}

/** The view state from before the view was hidden; the fallback if there is none, or one of another version. */
export function rememberedViewState<T>(isViewState: Guard<T>, fallback: T): T {
  const remembered: unknown = api.getState();
  return isViewState(remembered) ? remembered : fallback;
}

export function rememberViewState(viewState: unknown): void {
  api.setState(viewState);
}

/** Handles the messages after `hydrate`. */
export type Receiver<V extends View> = (message: ToWebview<V>) => void;

/** Builds the view whenever the host hydrates it. `open` fills the body and returns the receiver of the increments. */
export function startView<V extends View>(view: V, open: (state: StateOf<V>) => Receiver<V>): void {
  let receive: Receiver<V> | undefined;
  window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (isToWebview(view, data)) return receive?.(data);
    if (!isHydrateFor(view, data)) return post({ type: 'malformed', messageType: typeOfMessage(data) });
    endView();
    useLanguage(data.strings, data.locale);
    document.body.replaceChildren();
    receive = open(data.state);
  });
  post({ type: 'ready' });
}
