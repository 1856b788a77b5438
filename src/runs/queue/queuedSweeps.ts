import type { StepLimit } from '../trainRun.js';

/** What sweeps have to say about the turns of their runs. Asked about every run; one of no sweep is trained to its end. */
export interface QueuedSweeps {
  /** Asked before each turn: where the run goes back to the queue. May take runs out of the queue, this one included. */
  stepLimitOf(runFolder: string): StepLimit;
  /** Called after each turn, at that step or at the run's end, however it ended. */
  afterRun(runFolder: string): Promise<void>;
}

/** For a queue without sweeps. */
export const noSweeps: QueuedSweeps = {
  stepLimitOf: () => () => null,
  afterRun: async () => undefined,
};
