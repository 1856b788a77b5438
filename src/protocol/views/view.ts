/**
 * @file The messages between the host (the extension) and its webviews, as far as all views share them. Plain JSON, checked on
 * arrival.
 *
 * A webview posts `ready`; the host replies with `hydrate`, a snapshot of the state, and then sends increments. The host owns all
 * state; a webview keeps only how it is viewed (tab, zoom, smoothing) and may be discarded at any time.
 *
 * The host's page needs `<html lang>`, an empty `<body data-view="…">`, `dist/webview/webview.css` (with fonts and icons next to
 * it), and `dist/webview/<view>.js` as `<script type="module" nonce>`. Content-Security-Policy: default-src 'none'; script-src
 * 'nonce-…'; style-src and font-src the webview's cspSource; img-src the cspSource and data: (exported plots).
 */
import { isRecord, object, oneOf, recordOf, string, type Guard } from '../guard.js';

export interface Message {
  readonly type: string;
}

/** The types that define a view's protocol. */
interface ViewTypes {
  /** Payload of `hydrate`. */
  readonly state: unknown;
  /** Increments, sent after `hydrate`. */
  readonly toWebview: Message;
  /** Messages of this view, in addition to FromAnyView. */
  readonly fromWebview: Message;
}

/** A message by its type, without the `type` key. */
type Body<M extends Message, Type extends M['type']> = Omit<Extract<M, { type: Type }>, 'type'>;
export type Bodies<M extends Message> = { readonly [Type in M['type']]: Guard<Body<M, Type>> };

/** The run-time side of a protocol: guards for the state and for each message. */
export interface ViewProtocol<V extends ViewTypes> {
  readonly state: Guard<V['state']>;
  readonly toWebview: Bodies<V['toWebview']>;
  readonly fromWebview: Bodies<V['fromWebview']>;
}

export interface Hydrate<State> {
  readonly type: 'hydrate';
  readonly state: State;
  /** By key of webviewStrings.ts, with placeholders {0}, {1} …; a missing key is shown in English. */
  readonly strings: Readonly<Record<string, string>>;
  /** BCP 47, for numbers and dates: vscode.env.language. */
  readonly locale: string;
}

/** Messages that any view may send. */
export type FromAnyView =
  | { readonly type: 'ready' }
  /** A message of this type was malformed and has been dropped; for the log. */
  | { readonly type: 'malformed'; readonly messageType: string }
  /** Copies the text to the clipboard. */
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'runCommand'; readonly runId: string; readonly command: RunCommand }
  /** Saves to a file that the host asks for. The content of a PNG is base64. */
  | { readonly type: 'export'; readonly format: 'png' | 'csv'; readonly name: string; readonly content: string }
  /** Runs the Fine-Tune… command. */
  | { readonly type: 'fineTune' }
  /** Runs the command for trusting a workspace. */
  | { readonly type: 'manageTrust' };

/** `open` shows the panel with the run's plots; `playground` and `completion` use the run's adapter. */
export const runCommands = [
  'pause',
  'resume',
  'stop',
  'startNow',
  'dequeue',
  'open',
  'reveal',
  'showLog',
  'playground',
  'completion',
] as const;
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

/** For the log, when a message is dropped. */
export function typeOfMessage(message: unknown): string {
  return isRecord(message) && string(message['type']) ? message['type'] : typeof message;
}
