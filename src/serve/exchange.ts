import type { IncomingMessage, ServerResponse } from 'node:http';
import { readJsonBody } from './jsonBody.js';
import type { HttpError } from './httpError.js';
import type { Limits } from './limits.js';

/** A request and its answer. */
export class Exchange {
  private readonly gone = new AbortController();
  private slowReader: NodeJS.Timeout | undefined;

  constructor(
    readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly limits: Limits,
  ) {
    response.on('drain', () => this.hasRead());
    response.on('close', () => {
      this.hasRead();
      this.gone.abort();
    });
  }

  /** Aborted when the client goes, and when the answer is complete. */
  get signal(): AbortSignal {
    return this.gone.signal;
  }

  body(): Promise<Record<string, unknown>> {
    return readJsonBody(this.request, this.limits.maxBodyBytes);
  }

  json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): void {
    if (this.signal.aborted) return;
    this.response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
    this.response.end(JSON.stringify(body));
    this.expectReading();
  }

  noContent(): void {
    this.response.writeHead(204).end();
  }

  /** Sends a server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html); the first one opens the stream. */
  event(data: object | string): void {
    if (this.signal.aborted) return;
    if (!this.response.headersSent) {
      this.response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache' });
    }
    const isRead = this.response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    if (!isRead) this.expectReading();
  }

  endEvents(): void {
    if (this.signal.aborted) return;
    this.response.end();
    this.expectReading();
  }

  /** In a stream that has begun, the error is the last event. */
  fail(error: HttpError): void {
    if (!this.response.headersSent) return this.json(error.status, error.body, error.details.headers);
    this.event(error.body);
    this.endEvents();
  }

  /** A client that does not take its answer is disconnected: the answer would stay in memory. */
  private expectReading(): void {
    if (this.response.writableFinished) return;
    this.slowReader ??= setTimeout(() => {
      this.gone.abort(); // first, because writing to a destroyed response is an error
      this.response.destroy();
    }, this.limits.readMs);
  }

  private hasRead(): void {
    clearTimeout(this.slowReader);
    this.slowReader = undefined;
  }
}
