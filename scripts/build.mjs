// Bundles every program of the product into dist/. Usage: node scripts/build.mjs [--watch]
import { build, context } from 'esbuild';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';

// mainFields: the CommonJS build of jsonc-parser cannot be bundled, but its ES modules can.
const node = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  sourcemap: true,
  logLevel: 'warning',
};
// Each view is one script; the style sheet pulls in the codicons and their font.
const browser = {
  bundle: true,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  loader: { '.ttf': 'file' },
  assetNames: '[name]',
  logLevel: 'warning',
};
const views = readdirSync('webview').filter((folder) => existsSync(`webview/${folder}/main.ts`));
const programs = [
  { ...node, entryPoints: { cli: 'src/cli/main.ts' }, external: ['onnxruntime-node'], outdir: 'dist' },
  { ...node, entryPoints: { backend: 'src/backend/main.ts' }, external: ['onnxruntime-node'], outdir: 'dist' },
  // The language client is a separate file that activation does not read. A dynamic import becomes require, which VS Code serves.
  {
    ...node,
    entryPoints: { extension: 'src/extension.ts' },
    external: ['vscode', './languageClient.js'],
    supported: { 'dynamic-import': false },
    outdir: 'dist',
  },
  { ...node, entryPoints: { languageClient: 'src/extension/languageClient.ts' }, external: ['vscode'], outdir: 'dist' },
  { ...browser, entryPoints: Object.fromEntries(views.map((view) => [view, `webview/${view}/main.ts`])), outdir: 'dist/webview' },
  { ...browser, entryPoints: { webview: 'webview/styles/webview.css' }, outdir: 'dist/webview' },
];

// contributes.jsonValidation names this file, for completion and squiggles in run.json.
mkdirSync('dist', { recursive: true });
copyFileSync('src/protocol/runConfig.schema.json', 'dist/runConfig.schema.json');

if (process.argv.includes('--watch')) {
  for (const program of programs) await (await context(program)).watch();
} else {
  await Promise.all(programs.map((program) => build({ ...program, minify: true })));
}
