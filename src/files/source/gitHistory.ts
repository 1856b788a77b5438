import { execFileSync } from 'node:child_process';

export interface GitHistory {
  /** The commit that is checked out. */
  readonly commit: string;
  /** When each file was added, in seconds since 1970, by its path relative to the folder, with forward slashes. */
  readonly added: ReadonlyMap<string, number>;
}

/** Null without git, outside a repository, or if no file of the folder is in the history. */
export function gitHistory(folder: string): GitHistory | null {
  const commit = currentCommit(folder);
  // What came in by a merge counts as added when it was merged.
  const log = git(folder, [
    'log',
    '--first-parent',
    '-m',
    '--no-renames',
    '--diff-filter=A',
    '--name-only',
    '--relative',
    format,
  ]);
  if (!commit || !log) return null;
  const added = new Map<string, number>();
  let time = 0;
  for (const line of log.split('\n')) {
    if (line.startsWith(mark)) time = Number(line.slice(mark.length));
    else if (line !== '' && !added.has(line)) added.set(line, time);
  }
  return added.size > 0 ? { commit, added } : null;
}

/** Null without git, or outside a repository. */
export function currentCommit(folder: string): string | null {
  return git(folder, ['rev-parse', 'HEAD'])?.trim() ?? null;
}

const mark = '\u0001';
const format = '--format=%x01%ct';

/** No setting of the repository may run a program. */
const settings = ['core.fsmonitor=false', 'log.showSignature=false', 'core.quotePath=false'].flatMap((each) => ['-c', each]);

function git(folder: string, command: readonly string[]): string | null {
  // A hook of git, which a test may run in, sets variables that name another repository.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  try {
    return execFileSync('git', [...settings, ...command], {
      cwd: folder,
      env: { ...env, GIT_OPTIONAL_LOCKS: '0' },
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'ignore'],
      windowsHide: true,
    });
  } catch {
    return null;
  }
}
