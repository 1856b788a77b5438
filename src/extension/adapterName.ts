/** Names a run's adapters after the run's folder, because "adapter" says nothing; anything else by the last part of its path. */
export function adapterName(path: string): string {
  const parts = path.split(/[\\/]/).filter(Boolean);
  const last = parts.at(-1) ?? path;
  const run = parts.at(-2);
  if (run === undefined) return last;
  return last === 'adapter' ? run : last === 'adapter-best' ? `${run} (best)` : last;
}
