import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles a script in this folder into one file for plain Node, located where Node finds the native packages. */
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
