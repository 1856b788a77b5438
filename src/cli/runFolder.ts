import { join } from 'node:path';

/** runs/2026-03-14-150926 in the current folder; a prefix goes before the date. */
export function newRunFolder(prefix = '', now = new Date()): string {
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString();
  return join('runs', `${prefix}${local.slice(0, 10)}-${local.slice(11, 19).replaceAll(':', '')}`);
}
