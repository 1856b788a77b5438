/**
 * Lets the server outlive a timer or a promise that fails: it is a defect of ours, told by its stack in the client's log, but no reason
 * to leave a window without its runs. Where the client is gone, though, there is nobody to serve.
 */
export function logUncaughtErrors(): void {
  const survive = (error: unknown) => {
    if (isClientGone(error)) process.exit(1);
    process.stderr.write(`internal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  };
  process.on('uncaughtException', survive);
  process.on('unhandledRejection', survive);
}

/** As a write into a closed pipe fails; to log it would fail likewise, and so on. */
function isClientGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
}
