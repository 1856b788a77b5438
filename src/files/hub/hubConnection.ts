import { fetchThroughProxy } from './fetchThroughProxy.js';
import { HubError, networkFailure, refusal, silence } from './hubErrors.js';
import { hubEndpoint, hubToken, isHubForbidden } from './hubSettings.js';
import type { HubRepository } from './repository.js';
import { Retries, usualPatience, type Patience } from './retries.js';
import { t } from '../../l10n/text.js';
import { Watchdog } from './watchdog.js';

export interface ConnectionOptions {
  readonly endpoint?: string;
  /** Instead of the one of the environment or the login. */
  readonly token?: string | undefined;
  readonly patience?: Patience;
}

/** An answer whose body is still to come. */
export interface Transfer {
  readonly response: Response;
  /** The body, piece by piece. Throws HubError if the connection breaks or the server falls silent. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Requests to the hub, with the user's token, patience, and errors that say what to do. */
export class HubConnection {
  readonly endpoint: string;
  readonly patience: Patience;
  private readonly token: string | undefined;

  constructor({ endpoint, token, patience }: ConnectionOptions = {}) {
    this.endpoint = endpoint ?? hubEndpoint();
    this.token = token ?? hubToken();
    this.patience = patience ?? usualPatience;
  }

  /**
   * A fetch for @huggingface/hub, for requests with small answers. It tries again what may work later and throws HubError. The
   * token is added here, because the library sends only tokens that begin with hf_, which those of mirrors do not.
   */
  fetchFor(repository: HubRepository, signal: AbortSignal): typeof fetch {
    return async (url, init) => {
      const retries = new Retries(this.patience, signal);
      for (;;) {
        try {
          const { response, pieces } = await this.transfer(
            String(url as string | URL),
            repository,
            new Headers(init?.headers),
            signal,
          );
          return new Response(await joined(pieces), { status: response.status, headers: response.headers });
        } catch (error) {
          await retries.after(error);
        }
      }
    };
  }

  /** Makes one attempt at a request. Redirects are followed; the token does not travel to other hosts. */
  async transfer(url: string, repository: HubRepository, headers: Headers, signal: AbortSignal): Promise<Transfer> {
    if (isHubForbidden()) throw new HubError('download-failed', t`HF_HUB_OFFLINE forbids connections to the hub.`);
    if (this.token && new URL(url).origin === new URL(this.endpoint).origin) headers.set('authorization', `Bearer ${this.token}`);
    headers.set('accept-encoding', 'identity'); // ranges count the bytes of the file, not those of its compressed form
    const watchdog = new Watchdog(this.patience.answerMs);
    const failure = (error: unknown) => {
      watchdog.stop();
      signal.throwIfAborted();
      return watchdog.signal.aborted ? silence(url) : networkFailure(error, url);
    };
    const either = AbortSignal.any([signal, watchdog.signal]);
    const response = await fetchThroughProxy(url, { headers, signal: either }).catch((error: unknown) => {
      throw failure(error);
    });
    watchdog.stop();
    if (!response.ok) {
      await response.body?.cancel().catch(() => undefined);
      throw refusal(response, { repository, endpoint: this.endpoint, hasToken: this.token !== undefined });
    }
    return { response, pieces: watched(response, watchdog, this.patience.silenceMs, failure) };
  }
}

async function* watched(
  response: Response,
  watchdog: Watchdog,
  silenceMs: number,
  failure: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  try {
    for (;;) {
      watchdog.restart(silenceMs);
      const piece = await reader?.read().catch((error: unknown) => {
        throw failure(error);
      });
      watchdog.stop(); // while the reader is busy, the silence is not the server's
      if (!piece?.value) return;
      yield piece.value;
    }
  } finally {
    watchdog.stop();
    await reader?.cancel().catch(() => undefined);
  }
}

/** No listing comes near; without a limit, a hostile mirror could fill the memory. */
const maxAnswerBytes = 64 * 2 ** 20;

async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    if ((size += piece.length) > maxAnswerBytes) throw new HubError('download-failed', t`The hub's answer is too long.`);
    all.push(piece);
  }
  return Buffer.concat(all);
}
