/** What went wrong, for programs; the message is for people. */
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
  | 'diverged';

/**
 * An error the user can cause and can mend. The message says what happened, to which file, and what to do;
 * it is shown as it stands, without a stack. Any other Error that escapes is a defect of ours.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** The setting of the run config that is to be changed, where one is to blame: ['lora', 'layers']. */
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
