import { chatCompletions } from './chatCompletions.js';
import { completions } from './completions.js';
import type { Exchange } from './exchange.js';
import { health } from './health.js';
import { HttpError } from './httpError.js';
import { infill } from './infill.js';
import { listModels, retrieveModel } from './models.js';
import type { Service } from './service.js';

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  /** Who may ask, and how many at once: nobody needs a key to learn that the endpoint lives, and only writing takes long. */
  readonly kind: 'public' | 'quick' | 'writing';
  /** `rest` is what the path names. */
  readonly handle: (exchange: Exchange, service: Service, rest: string) => Promise<void> | void;
}

const routes: readonly Route[] = [
  { method: 'GET', path: /^\/health$/, kind: 'public', handle: health },
  { method: 'GET', path: /^\/v1\/models$/, kind: 'quick', handle: listModels },
  { method: 'GET', path: /^\/v1\/models\/(.+)$/, kind: 'quick', handle: retrieveModel },
  { method: 'POST', path: /^\/v1\/chat\/completions$/, kind: 'writing', handle: chatCompletions },
  { method: 'POST', path: /^\/v1\/completions$/, kind: 'writing', handle: completions },
  { method: 'POST', path: /^\/infill$/, kind: 'writing', handle: infill },
];

export function findRoute(method: string, path: string): { readonly route: Route; readonly rest: string } {
  const there = routes.filter((route) => route.path.test(path));
  const route = there.find((each) => each.method === method);
  if (route) return { route, rest: route.path.exec(path)![1] ?? '' };
  if (there.length === 0) throw new HttpError(404, `There is no ${path} here.`, { code: 'unknown_url' });
  const allowed = there.map((each) => each.method).join(', ');
  throw new HttpError(405, `${path} takes ${allowed}.`, { code: 'method_not_allowed', headers: { Allow: allowed } });
}
