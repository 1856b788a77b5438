import { isRecord } from '../../protocol/guard.js';

/** What a tree item or view names in a command's argument: the path of a model or adapter, or the id of a run or a sweep. */
export function namedBy(argument: unknown, key: 'path' | 'runId' | 'sweepId'): string | undefined {
  const value = isRecord(argument) ? argument[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}
