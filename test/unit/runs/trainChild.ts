// Trains the run directory given as argument with the fake runner: a real process, to be killed. Usage: node trainChild.mjs RUN DELAY_MS [LAST_WORDS]
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { prepareFake } from './fakeRun.js';

const [path, delay, lastWords] = process.argv.slice(2);
const controller = new AbortController();
process.once('SIGTERM', () => controller.abort());
await trainRun(RunDirectory.open(path!), {
  prepare: (config) => prepareFake(config, { delay: Number(delay), ...(lastWords && { lastWords }) }),
  signal: controller.signal,
});
