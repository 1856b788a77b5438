import { spawnSync } from 'node:child_process';

/** The tests see what was written last, not what was built last. */
export function setup(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the webviews could not be bundled');
}
