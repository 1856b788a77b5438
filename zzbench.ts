import { mkdirSync, mkdtempSync, writeFileSync, readFileSync } from 'node:fs';
import { execSync } from 'node:child_process';
import { join, dirname } from 'node:path';
import { diskFiles } from './src/files/dataFiles.js';
import { curateFolder } from './src/files/source/curate.js';
const root = mkdtempSync('/tmp/big-');
const files = execSync('git ls-files src webview test bench scripts', { encoding: 'utf8' }).trim().split('\n').filter((f) => /\.(ts|py|mjs)$/.test(f));
let n = 0;
for (let copy = 0; n < 5000; copy++) for (const f of files) {
  if (n++ >= 5000) break;
  const p = join(root, `c${copy}`, f);
  mkdirSync(dirname(p), { recursive: true });
  // Different identifiers in every copy, so that most are distinct.
  writeFileSync(p, copy === 0 ? readFileSync(f) : readFileSync(f, 'utf8').replace(/[A-Za-z_]{5,}/g, (w) => w + copy));
}
async function main() {
const t0 = performance.now();
const place = diskFiles.open(root) as any;
console.log('list', performance.now() - t0);
const t1 = performance.now();
const r = await curateFolder(place, { include: null, exclude: [], languages: null, dedup: 'near', scan_secrets: true, eval_split: 'newest', eval_fraction: 0.1, seed: 1 });
console.log('curate', place.files.length, r.place.files.length, performance.now() - t1, r.place.heldOut?.paths.size);
const c: any = {}; for (const l of r.place.leftOut) c[l.kind] = (c[l.kind] ?? 0) + 1; console.log(c);
}
void main();
