/** Optimizer steps of a run, as the trainer counts them (src/runs/prepareRun.ts); undefined while that cannot be known. */
export function totalSteps(settingAt: (path: readonly string[]) => unknown, rows: number | null): number | undefined {
  const amount = (...path: readonly string[]) => {
    const value = settingAt(path);
    return typeof value === 'number' ? value : Number.NaN;
  };
  const maxSteps = amount('train', 'max_steps');
  if (Number.isFinite(maxSteps)) return maxSteps;
  if (rows === null) return undefined;
  const batches = Math.ceil(rows / amount('train', 'batch_size'));
  const perEpoch = Math.ceil(batches / amount('train', 'gradient_accumulation_steps'));
  const steps = perEpoch * amount('train', 'num_epochs');
  if (!Number.isFinite(steps)) return undefined;
  const maxTokens = settingAt(['train', 'max_tokens']);
  return typeof maxTokens === 'number' ? Math.min(steps, Math.max(1, Math.floor(maxTokens / tokensPerStep(settingAt)))) : steps;
}

/** At most: sequences can be shorter. */
export function tokensPerStep(settingAt: (path: readonly string[]) => unknown): number {
  const factors = [settingAt(['train', 'batch_size']), settingAt(['train', 'gradient_accumulation_steps'])];
  return [...factors, settingAt(['data', 'max_seq_length'])].reduce<number>((product, value) => product * Number(value), 1);
}
