// Measures the cost of activating the extension against a VS Code that does nothing.
// Usage: node scripts/build.mjs && node bench/activation.mjs
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';

const rounds = 20;
const runs = Array.from({ length: rounds }, () =>
  JSON.parse(execFileSync(process.execPath, ['test/support/activateExtension.mjs'], { encoding: 'utf8' })),
);
const median = (key) => runs.map((run) => run[key]).sort((a, b) => a - b)[rounds / 2];
console.log(`dist/extension.js ${(statSync('dist/extension.js').size / 1e3).toFixed(0)} kB`);
console.log(
  `activation, median of ${rounds}: ${median('processorMs').toFixed(1)} ms processor time, ${median('wallMs').toFixed(1)} ms`,
);
console.log(`modules loaded: ${[...new Set(runs[0].loaded)].join(', ')}`);
