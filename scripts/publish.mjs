// Publishes the package of each platform to the Visual Studio Marketplace: VSCE_PAT=… npm run publish:all
// The token belongs to the publisher named in package.json
// (https://code.visualstudio.com/api/working-with-extensions/publishing-extension).
import { publishVSIX } from '@vscode/vsce';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const { publisher, version } = JSON.parse(readFileSync('package.json', 'utf8'));
const pat = process.env.VSCE_PAT;
if (!pat) {
  console.error(`Set VSCE_PAT to an access token of the publisher ${publisher}, then run npm run publish:all again.`);
  process.exit(1);
}

const folder = resolve('build/vsix');
rmSync(folder, { recursive: true, force: true });
const packaged = spawnSync(process.execPath, ['scripts/package.mjs'], { stdio: 'inherit' });
if (packaged.status !== 0) process.exit(1);
for (const name of readdirSync(folder).filter((file) => file.endsWith('.vsix'))) {
  // Skips a version that a platform already has, so that an interrupted publication can be resumed.
  await publishVSIX(join(folder, name), { pat, skipDuplicate: true });
  console.log(`${name} is published as version ${version}.`);
}
