import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** parent/2026-03-14-150926, in local time, with the prefix before the date and a number after it if that is taken. */
export function newRunFolder(parent: string, prefix = ''): string {
  const now = new Date();
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString();
  const path = join(parent, `${prefix}${local.slice(0, 10)}-${local.slice(11, 19).replaceAll(':', '')}`);
  for (let number = 1; ; number++) {
    const free = number === 1 ? path : `${path}-${number}`;
    if (!existsSync(free)) return free;
  }
}
