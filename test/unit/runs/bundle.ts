import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A script of this folder as one file that plain node can run; lies where node finds the native packages. */
export async function bundleForNode(script: string): Promise<string> {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const outfile = join(here, '../../../node_modules/.cache/lora-workbench-tests', script.replace(/\.ts$/, '.mjs'));
  await build({
    entryPoints: [join(here, script)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    external: ['onnxruntime-node'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  return outfile;
}
