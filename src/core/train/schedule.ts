type ScheduleName = 'constant' | 'linear' | 'cosine';

export interface Schedule {
  readonly name: ScheduleName;
  /** The rate at the end of the warm-up. */
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/**
 * The learning rate of the optimizer step that follows `stepsDone` steps. Gives the same numbers as transformers'
 * get_constant/linear/cosine_schedule_with_warmup (optimization.py): with a warm-up, the first step's rate is 0.
 */
export function learningRate(schedule: Schedule, stepsDone: number): number {
  const { name, peak, warmupSteps, totalSteps } = schedule;
  if (stepsDone < warmupSteps) return peak * (stepsDone / Math.max(1, warmupSteps));
  const progress = (stepsDone - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  switch (name) {
    case 'constant':
      return peak;
    case 'linear':
      return peak * Math.max(0, 1 - progress);
    case 'cosine':
      return peak * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
  }
}
