/** Names a run's adapter after the run's folder, because "adapter" says nothing; anything else by the last part of its path. */
export function adapterName(path: string): string {
  const parts = path.split(/[\\/]/).filter(Boolean);
  const last = parts.at(-1) ?? path;
  return /^adapter(-best)?$/.test(last) ? (parts.at(-2) ?? last) : last;
}
