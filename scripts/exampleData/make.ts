// Writes the data of examples/. Usage: npx tsx scripts/exampleData/make.ts
import { writeFileSync } from 'node:fs';
import { exampleFiles } from './files.js';

for (const [name, text] of exampleFiles()) writeFileSync(`examples/${name}`, text);
