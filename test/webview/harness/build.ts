import { spawnSync } from 'node:child_process';

/** Builds first, so that the tests see the current sources instead of an older build. */
export function setup(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the webviews could not be bundled');
}
