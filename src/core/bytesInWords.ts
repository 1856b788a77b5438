/** 1.2 GB, 340 MB. */
export function bytesInWords(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  return `${(count / 1000 ** power).toFixed(power < 3 ? 0 : 1)} ${units[power]}`;
}
