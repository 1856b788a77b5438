import type { IncomingMessage } from 'node:http';
import { isRecord } from '../protocol/guard.js';
import { HttpError } from './httpError.js';

/** Reads a request's JSON object, without the fields that are null: many clients send those they do not use. */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<Record<string, unknown>> {
  // Browsers let any web page send other types without asking the server first.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new HttpError(415, 'The body must be JSON: send Content-Type: application/json.');
  }
  const body = parse(await readText(request, maxBytes));
  if (!isRecord(body)) throw new HttpError(400, 'The body must be a JSON object.');
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += piece.length;
    // Node.js receives the rest and forgets it, within the time for a request, so that the client can read the answer.
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, `The body is larger than ${maxBytes} bytes.`, { code: 'body_too_large' });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpError(400, `The body is not JSON: ${(error as Error).message}`, { code: 'invalid_json' });
  }
}
