/** @file Who may use the endpoint: the host that was asked for, the key, and web pages. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import { HttpError } from './httpError.js';

export interface AccessOptions {
  /** The address that the endpoint listens on. */
  readonly host: string;
  /** Null lets in everybody who reaches the address. */
  readonly apiKey: string | null;
  /** Web pages that may use the endpoint, such as "http://localhost:3000". */
  readonly corsOrigins: readonly string[];
}

/**
 * A web page can give its own name the address 127.0.0.1 and so reach a server there (DNS rebinding), but the browser then sends
 * that name as the host.
 */
export function checkHost({ headers }: IncomingMessage, { host }: AccessOptions): void {
  if (!isLoopback(host)) return;
  const asked = (headers.host ?? '').replace(/:\d+$/, '');
  if (isLoopback(asked)) return;
  throw new HttpError(403, `This endpoint is for this machine only, and not known as "${asked}".`, { code: 'host_not_allowed' });
}

export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}

export function checkKey({ headers }: IncomingMessage, { apiKey }: AccessOptions): void {
  if (apiKey === null) return;
  const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  if (given !== undefined && timingSafeEqual(digest(given), digest(apiKey))) return;
  const message = given === undefined ? 'An API key is required: Authorization: Bearer <key>.' : 'The API key is wrong.';
  throw new HttpError(401, message, { code: 'invalid_api_key', headers: { 'WWW-Authenticate': 'Bearer' } });
}

/** Of equal length, as the comparison needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Without these, browsers keep the answers from web pages, and keep pages from sending JSON at all. */
export function corsHeaders({ headers }: IncomingMessage, { corsOrigins }: AccessOptions): Record<string, string> {
  const { origin } = headers;
  if (origin === undefined || !corsOrigins.includes(origin)) return {};
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET, POST',
    // The official client adds headers of its own.
    'Access-Control-Allow-Headers': headers['access-control-request-headers'] ?? 'Authorization, Content-Type',
    Vary: 'Origin',
  };
}
