import type { StepRunner } from '../core/train/stepRunner.js';

/** Does the work of one call, and something around it. */
export type Guard = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** The same runner, with all calls but its disposal made through `guard`. */
export function guarded(runner: StepRunner, guard: Guard): StepRunner {
  return {
    description: runner.description,
    accumulate: (batch, seed) => guard(() => runner.accumulate(batch, seed)),
    update: (options) => guard(() => runner.update(options)),
    evaluate: (batch) => guard(() => runner.evaluate(batch)),
    exportState: () => guard(() => runner.exportState()),
    importState: (state) => guard(() => runner.importState(state)),
    dispose: () => runner.dispose(),
  };
}
