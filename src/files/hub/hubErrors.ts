import { UserError, type ErrorCode } from '../../core/errors.js';
import { t } from '../../l10n/text.js';
import { repositoryPage, type HubRepository } from './repository.js';

interface Details {
  readonly cause?: unknown;
  /** Set if trying again may help: after how many milliseconds, or null if the server does not say. */
  readonly retryAfterMs?: number | null;
  /** Set if a token, or another one, may help: the page on which its owner is given access. */
  readonly accessPage?: string;
}

/** Why the hub did not give what was asked for. */
export class HubError extends UserError {
  readonly retryAfterMs: number | null | undefined;
  readonly accessPage: string | undefined;

  constructor(code: ErrorCode, message: string, { cause, retryAfterMs, accessPage }: Details = {}) {
    super(code, message, { cause });
    this.retryAfterMs = retryAfterMs;
    this.accessPage = accessPage;
  }
}

/** What is asked for, by whom. */
export interface Asked {
  readonly repository: HubRepository;
  readonly endpoint: string;
  readonly hasToken: boolean;
}

/** The meaning of an answer that is none of the 2xx, as the hub uses the statuses and its header X-Error-Code. */
export function refusal(response: Response, asked: Asked): HubError {
  const { status } = response;
  const isOfHub = hostOf(response.url) === hostOf(asked.endpoint) || response.headers.has('x-error-code');
  if (isOfHub && (status === 401 || status === 403)) return accessRefusal(response, asked);
  if (isOfHub && status === 404) return absence(response, asked);
  if (status === 429) return tooMany(response, hostOf(response.url));
  const message = t`${hostOf(response.url)} answers ${status}. Try again later.`;
  // The addresses of the hub's stores expire; each attempt asks the hub for a new one.
  return new HubError('download-failed', message, status >= 500 || status === 408 || !isOfHub ? { retryAfterMs: null } : {});
}

/** Without a token, a repository that does not exist looks like a private one: both are refused with 401. */
function accessRefusal(response: Response, { repository, endpoint, hasToken }: Asked): HubError {
  const { name } = repository;
  const accessPage = repositoryPage(endpoint, repository);
  const refuse = (message: string) => new HubError('access-denied', message, { accessPage });
  if (response.headers.get('x-error-code') === 'GatedRepo') {
    return refuse(
      hasToken && response.status === 403
        ? t`Your account has no access to ${name} yet. Ask for it at ${accessPage}, and download again once it is granted.`
        : t`${name} is gated: ask for access at ${accessPage}, and download with a token of yours (HF_TOKEN, or \`hf auth login\`).`,
    );
  }
  if (hasToken)
    return refuse(
      t`${hostOf(endpoint)} refuses your token for ${name}. Make one that may read it at ${endpoint}/settings/tokens.`,
    );
  return refuse(
    t`${hostOf(endpoint)} has no ${name}, or it is private. Check the name; a private one needs a token of yours (HF_TOKEN).`,
  );
}

function absence(response: Response, { repository: { name, revision }, endpoint }: Asked): HubError {
  const host = hostOf(endpoint);
  switch (response.headers.get('x-error-code')) {
    case 'RevisionNotFound':
      return new HubError('file-not-found', t`${name} has no revision ${revision} at ${host}.`);
    case 'EntryNotFound':
      return new HubError('file-not-found', t`${name} at ${host} no longer has the file ${fileOf(response.url)}.`);
    default:
      return new HubError('file-not-found', t`${host} has no ${name}. Check the name, and that your token may see it.`);
  }
}

/** Longer waits are left to the user. */
const longestWaitMs = 60_000;

function tooMany(response: Response, host: string): HubError {
  const waitMs = retryAfter(response.headers.get('retry-after'));
  if (waitMs === null || waitMs <= longestWaitMs) {
    return new HubError('download-failed', t`${host} is asked too often. Try again in a few minutes.`, { retryAfterMs: waitMs });
  }
  const minutes = Math.ceil(waitMs / 60_000);
  return new HubError(
    'download-failed',
    t`${host} is asked too often. Try again in ${minutes} minutes, or with a token of yours.`,
  );
}

/** Seconds or a date (RFC 9110, 10.2.3), in milliseconds from now. */
function retryAfter(header: string | null): number | null {
  if (header === null) return null;
  const waitMs = /^\d+$/.test(header.trim()) ? 1000 * Number(header) : Date.parse(header) - Date.now();
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null;
}

/** Node reports every network failure as "fetch failed" or "terminated"; the actual reason is in the cause. */
export function networkFailure(cause: unknown, url: string): HubError {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = inner instanceof Error ? ((inner as NodeJS.ErrnoException).code ?? inner.message) : String(inner);
  return new HubError(
    'download-failed',
    t`${hostOf(url)} cannot be reached (${reason}). Check the network, or name a mirror in HF_ENDPOINT.`,
    {
      cause,
      retryAfterMs: null,
    },
  );
}

export function silence(url: string): HubError {
  const message = t`${hostOf(url)} does not answer. Check the network, or name a mirror in HF_ENDPOINT.`;
  return new HubError('download-failed', message, { retryAfterMs: null });
}

/** An answer that the hub's protocol does not have, or that is not to be trusted. */
export function oddAnswer(endpoint: string, what: string): HubError {
  return new HubError('download-failed', t`${hostOf(endpoint)} does not answer as the hub does: ${what}. Check HF_ENDPOINT.`);
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function fileOf(url: string): string {
  return URL.canParse(url)
    ? decodeURIComponent(new URL(url).pathname.split('/resolve/')[1]?.split('/').slice(1).join('/') ?? url)
    : url;
}
