import type { CancellationToken } from 'vscode-languageserver/node';

/** Converts a language server's cancellation token into an AbortSignal. */
export function abortSignal(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
