import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Frees what nobody uses any more. V8 would do so when it sees fit, and until then what comes next would seem to need it. It takes
 * some tens of milliseconds, and does nothing where V8 does not let itself be asked.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('globalThis.gc') as (() => void) | undefined;
  collect?.();
}
