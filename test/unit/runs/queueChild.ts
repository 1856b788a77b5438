// Works the queue of the folder given as argument with the fake runner, as a real process that tests can kill. Prints a line when it
// begins, "NAME" for each run that it begins, and what ended it.
// Usage: node queueChild.mjs FOLDER DELAY_MS
import { workQueue } from '../../../src/runs/queue/workQueue.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { noSweeps, prepareFake } from './fakeRun.js';

const [folder, delay] = process.argv.slice(2);
const controller = new AbortController();
process.once('SIGTERM', () => controller.abort());
const { signal } = controller;
try {
  await workQueue(folder!, {
    train(run) {
      console.log(run.name);
      return trainRun(run, { prepare: (config) => prepareFake(config, { delay: Number(delay) }), signal, fromQueue: true });
    },
    sweeps: noSweeps,
    note: () => undefined,
    signal,
  });
} catch (error) {
  console.log((error as { code: string }).code);
}
