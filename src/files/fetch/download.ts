import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { t } from '../../l10n/text.js';
import type { FetchReport } from './smolLM2.js';

/** A blocked network should be noticed quickly, but a slow one deserves patience. */
const patience = { connectMs: 6_000, silenceMs: 30_000 };

/** Downloads a file, following redirects. Throws if the server does not answer or stops sending data. */
export async function downloadFile(url: string, into: string, report: FetchReport, signal: AbortSignal): Promise<void> {
  const watchdog = new Watchdog(patience.connectMs);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, watchdog.signal]) });
    if (!response.ok || !response.body) throw new Error(t`${new URL(url).host} answers ${response.status}`);
    const total = Number(response.headers.get('content-length') ?? 0);
    let done = 0;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        watchdog.restart(patience.silenceMs);
        done += chunk.length;
        report.progress(done, total);
        next(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body as ReadableStream), count, createWriteStream(into));
  } catch (error) {
    throw watchdog.signal.aborted ? new Error(t`${new URL(url).host} does not answer`) : reachable(error, url);
  } finally {
    watchdog.stop();
  }
}

/** Node reports every network failure as "fetch failed"; the actual reason is in the cause. */
function reachable(error: unknown, url: string): unknown {
  const cause = error instanceof TypeError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause ? new Error(t`${new URL(url).host} cannot be reached (${cause.code ?? cause.message})`) : error;
}

class Watchdog {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout;

  constructor(milliseconds: number) {
    this.timer = this.start(milliseconds);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  restart(milliseconds: number): void {
    this.stop();
    this.timer = this.start(milliseconds);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private start(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.controller.abort(), milliseconds);
  }
}
