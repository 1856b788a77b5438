import { build } from 'esbuild';

/** Bundles programs in this folder for Node: bench/NAME.ts → .cache/bench/NAME.cjs. */
export function bundle(...names) {
  return build({
    entryPoints: names.map((name) => `bench/${name}.ts`),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    external: ['onnxruntime-node'],
    outdir: '.cache/bench',
    outExtension: { '.js': '.cjs' },
    logLevel: 'warning',
  });
}
