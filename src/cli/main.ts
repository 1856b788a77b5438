#!/usr/bin/env node
import { join } from 'node:path';
import { loadTranslations } from '../files/translations.js';
import { createProgram, runProgram } from './program.js';

loadTranslations();

// If the reader goes away (`lora-workbench … | head`), the program exits silently.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// The bundle is in dist/ of the installed product.
void runProgram(createProgram(join(__dirname, '..')), process.argv.slice(2));
