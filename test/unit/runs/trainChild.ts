// Trains the run directory given as argument with the fake runner, as a real process that tests can kill.
// Usage: node trainChild.mjs RUN DELAY_MS [LAST_WORDS [LOADING_MS]]
import { setTimeout as sleep } from 'node:timers/promises';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { prepareFake } from './fakeRun.js';

const [path, delay, killedMessage, loading] = process.argv.slice(2);
const controller = new AbortController();
process.once('SIGTERM', () => controller.abort());
await trainRun(RunDirectory.open(path!), {
  async prepare(config, ports) {
    ports.setKilledMessage(() => killedMessage ?? null);
    await sleep(Number(loading ?? 0));
    return prepareFake(config, { delay: Number(delay) });
  },
  signal: controller.signal,
});
