/**
 * @file What host (extension) and webviews say to each other: what all views have in common. Plain JSON, checked on arrival.
 *
 * A webview posts `ready`; the host answers with `hydrate`, a snapshot of the truth, then with increments. The host holds
 * everything; a webview keeps only how it is looked at (tab, zoom, smoothing) and may be thrown away at any time.
 *
 * The host's page needs `<html lang>`, `<body data-view="…">` and nothing in it, `dist/webview/webview.css` (fonts and icons
 * lie beside it), and `dist/webview/<view>.js` as `<script type="module" nonce>`. Content-Security-Policy: default-src 'none';
 * script-src 'nonce-…'; style-src and font-src the webview's cspSource; img-src the cspSource and data: (exported plots).
 */
import { isRecord, object, oneOf, recordOf, string, type Guard } from '../guard.js';

export interface Message {
  readonly type: string;
}

/** What a view's protocol is about. */
interface ViewTypes {
  /** What `hydrate` brings. */
  readonly state: unknown;
  /** Increments, after `hydrate`. */
  readonly toWebview: Message;
  /** Besides what every view may say. */
  readonly fromWebview: Message;
}

/** A message by its type, without the `type` key. */
type Body<M extends Message, Type extends M['type']> = Omit<Extract<M, { type: Type }>, 'type'>;
export type Bodies<M extends Message> = { readonly [Type in M['type']]: Guard<Body<M, Type>> };

/** The run-time side of a protocol: a guard of the state and of each message. */
export interface ViewProtocol<V extends ViewTypes> {
  readonly state: Guard<V['state']>;
  readonly toWebview: Bodies<V['toWebview']>;
  readonly fromWebview: Bodies<V['fromWebview']>;
}

export interface Hydrate<State> {
  readonly type: 'hydrate';
  readonly state: State;
  /** By key of webviewStrings.ts, with {0}, {1} … for what is filled in; a key that is missing shows in English. */
  readonly strings: Readonly<Record<string, string>>;
  /** BCP 47, for numbers and dates: vscode.env.language. */
  readonly locale: string;
}

/** What every view may say. */
export type FromAnyView =
  | { readonly type: 'ready' }
  /** A message of this type had another shape and was dropped: for the log. */
  | { readonly type: 'malformed'; readonly messageType: string }
  /** To the clipboard. */
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'runCommand'; readonly runId: string; readonly command: RunCommand }
  /** Ask where to save. A PNG's content is base64. */
  | { readonly type: 'export'; readonly format: 'png' | 'csv'; readonly name: string; readonly content: string }
  /** The command Fine-Tune…. */
  | { readonly type: 'fineTune' }
  /** The command that trusts a workspace. */
  | { readonly type: 'manageTrust' };

/** `open`: the panel with its plots. `playground` and `completion`: with its adapter. */
export const runCommands = ['pause', 'resume', 'stop', 'open', 'reveal', 'showLog', 'playground', 'completion'] as const;
export type RunCommand = (typeof runCommands)[number];

export const nothing = object<Record<never, never>>({});

const fromAnyView: Bodies<FromAnyView> = {
  ready: nothing,
  malformed: object({ messageType: string }),
  copy: object({ text: string }),
  runCommand: object({ runId: string, command: oneOf(...runCommands) }),
  export: object({ format: oneOf('png', 'csv'), name: string, content: string }),
  fineTune: nothing,
  manageTrust: nothing,
};

export function isFromAnyView(message: unknown): message is FromAnyView {
  return isOneOf(fromAnyView, message);
}

export function isHydrate<State>(state: Guard<State>, message: unknown): message is Hydrate<State> {
  return (
    isRecord(message) &&
    message['type'] === 'hydrate' &&
    state(message['state']) &&
    recordOf(string)(message['strings']) &&
    string(message['locale'])
  );
}

export function isOneOf<M extends Message>(bodies: Bodies<M>, message: unknown): message is M {
  if (!isRecord(message) || !string(message['type'])) return false;
  const known = bodies as Readonly<Record<string, Guard<unknown>>>;
  return Object.hasOwn(known, message['type']) && known[message['type']]!(message);
}

/** For the log, where a message is dropped. */
export function typeOfMessage(message: unknown): string {
  return isRecord(message) && string(message['type']) ? message['type'] : typeof message;
}
