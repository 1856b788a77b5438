import { execFileSync } from 'node:child_process';

/** Before the unit tests: some of them run the programs as they are shipped. */
export default function buildPrograms(): void {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
}
