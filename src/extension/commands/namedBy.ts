import { isRecord } from '../../protocol/guard.js';

/** What a tree item or a view names in the argument of a command: the path of a model or an adapter, the id of a run. */
export function namedBy(argument: unknown, key: 'path' | 'runId'): string | undefined {
  const value = isRecord(argument) ? argument[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}
