// Trains the run directory given as argument as the product does, as a real process that tests can kill.
// Usage: node trainModelChild.mjs RUN
import { prepareRun } from '../../../src/runs/prepareRun.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';

await trainRun(RunDirectory.open(process.argv[2]!), { prepare: prepareRun });
