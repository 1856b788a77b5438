import { UserError, type ErrorCode } from '../core/errors.js';

interface Details {
  /** For programs, such as "model_not_found". */
  readonly code?: string;
  /** The field of the request that is to blame. */
  readonly param?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that says why there is no other. Its text is for developers and programs, in English as the protocol is. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  constructor(
    readonly status: number,
    message: string,
    readonly details: Details = {},
  ) {
    super(message);
  }

  /** In OpenAI's shape (https://platform.openai.com/docs/guides/error-codes). */
  get body(): object {
    const { code = null, param = null } = this.details;
    return { error: { message: this.message, type: typeOf(this.status), param, code } };
  }
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** Anything but a UserError is a bug in this code: its message stays here, its stack goes to the log. */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof UserError) return new HttpError(statusOf(error.code), error.message, { code: error.code });
  process.stderr.write(`internal: ${error instanceof Error ? error.stack : String(error)}\n`);
  return new HttpError(500, 'The endpoint failed: see its log.', { code: 'internal' });
}

function statusOf(code: ErrorCode): number {
  switch (code) {
    case 'config-invalid':
    case 'data-invalid':
    case 'model-unsupported':
      return 400;
    case 'out-of-memory':
    case 'device-failed':
      return 503;
    default:
      return 500;
  }
}
