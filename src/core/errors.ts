/** The kind of error, for programs; the message is for people. */
export type ErrorCode =
  | 'file-not-found'
  | 'file-unreadable'
  | 'permission-denied'
  | 'file-corrupt'
  | 'file-unsupported'
  | 'file-write-failed'
  | 'config-invalid'
  | 'data-invalid'
  | 'model-unsupported'
  | 'adapter-mismatch'
  | 'device-unavailable'
  | 'device-failed'
  | 'out-of-memory'
  | 'run-busy'
  | 'download-failed'
  | 'access-denied'
  | 'diverged'
  | 'export-differs';

/**
 * An error that the user can cause and fix. The message says what happened, to which file, and what to do; it is shown as is,
 * without a stack trace. Any other Error that escapes is a bug in this code.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** The run config setting that has to change, if one is to blame: ['lora', 'layers']. */
  readonly setting: readonly string[] | undefined;
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly setting?: readonly string[] },
  ) {
    super(message, options);
    this.setting = options?.setting;
  }
}

export function isDeviceFailure(error: unknown): error is UserError {
  return error instanceof UserError && error.code === 'device-failed';
}
