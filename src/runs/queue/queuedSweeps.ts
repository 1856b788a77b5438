/** What sweeps have to say about the turns of their runs. Asked about every run; one of no sweep is trained to its end. */
export interface QueuedSweeps {
  /**
   * Asked in each turn, once the number of the run's steps is known: the step after which it goes back to the queue; null means its
   * last, after which it has ended.
   */
  stepLimitOf(runFolder: string, totalSteps: number): number | null;
  /** Called after each turn, at that step or at the run's end, however it ended. */
  afterRun(runFolder: string): Promise<void>;
}
