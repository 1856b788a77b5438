/** @file Successive halving (https://arxiv.org/abs/1502.07943): all runs begin, and at each rung only the best 1/eta go on. */

/**
 * The steps after which `runCount` runs are compared, rising: totalSteps / eta, / eta², … as often as runs are left to choose from,
 * so that about as many steps are trained between any two of them.
 */
export function rungSteps(runCount: number, totalSteps: number, eta: number): number[] {
  const steps: number[] = [];
  let part = totalSteps / eta;
  for (let left = runCount; left >= eta && part >= 1; left = Math.floor(left / eta), part /= eta) {
    const step = Math.round(part);
    if (step < (steps[0] ?? totalSteps)) steps.unshift(step);
  }
  return steps;
}

/** The runs that go on, best first: one in `eta`, but at least one. Of equal losses, the earlier one counts as better. */
export function survivors(losses: readonly (readonly [string, number])[], eta: number): string[] {
  const ranked = [...losses].sort(([, one], [, other]) => one - other).map(([run]) => run);
  return ranked.slice(0, Math.max(1, Math.floor(ranked.length / eta)));
}

/** How many of all steps are trained, 0 to 1, of runs with equally many steps. */
export function trainedShare(runCount: number, totalSteps: number, eta: number): number {
  let [racing, before, trained] = [runCount, 0, 0];
  for (const step of rungSteps(runCount, totalSteps, eta)) {
    trained += racing * (step - before);
    [racing, before] = [Math.max(1, Math.floor(racing / eta)), step];
  }
  return (trained + racing * (totalSteps - before)) / (runCount * totalSteps);
}
