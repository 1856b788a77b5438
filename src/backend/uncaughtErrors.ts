/**
 * Keeps the server alive when a timer or promise fails. That is a bug in this code, whose stack goes to the client's log, but no
 * reason to leave a window without its runs. If the client is gone, there is nobody left to serve, so the process exits.
 */
export function logUncaughtErrors(): void {
  const survive = (error: unknown) => {
    if (isClientGone(error)) process.exit(1);
    process.stderr.write(`internal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  };
  process.on('uncaughtException', survive);
  process.on('unhandledRejection', survive);
}

/** Recognises a failed write to a closed pipe. Logging it would fail the same way, and so on. */
function isClientGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
}
