import type { CancellationToken } from 'vscode-languageserver/node';

/** The language server's token as the platform's signal. */
export function abortSignal(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
