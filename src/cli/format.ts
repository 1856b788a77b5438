/** @file Formats numbers and tables for people. */
export { bytesInWords as bytes } from '../l10n/bytesInWords.js';

export function integer(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** 135 → "135", 134_515_008 → "134.5 million". */
export function large(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} billion`;
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} million` : integer(count);
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function plural(count: number, singular: string, many = `${singular}s`): string {
  return `${integer(count)} ${count === 1 ? singular : many}`;
}

/** Lays out labels and values in two columns. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([label]) => columns(label)));
  return rows.map(([label, value]) => `  ${label}${' '.repeat(width - columns(label))}  ${value}`.trimEnd()).join('\n');
}

/** Lays out rows of cells: the first column to the left, numbers to the right. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => columns(row[column]!))));
  const padded = (cell: string, column: number): string => {
    const space = ' '.repeat(widths[column]! - columns(cell));
    return column === 0 ? cell + space : space + cell;
  };
  return rows.map((row) => `  ${row.map(padded).join('  ')}`.trimEnd()).join('\n');
}

/** Width of a text in terminal columns; Chinese characters take two. */
function columns(text: string): number {
  return text.length + (text.match(/[\p{Script=Han}\u3000-\u303f\uff00-\uff60]/gu)?.length ?? 0);
}
