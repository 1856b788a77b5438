import { execFileSync } from 'node:child_process';

/** Runs before the unit tests: some of them run the programs as shipped. */
export default function buildPrograms(): void {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
}
