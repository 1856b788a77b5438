/** Wraps text at spaces into lines of at most `width` characters. Longer words are cut; existing line breaks are kept. */
export function wrapText(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line.trimEnd(), width));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const end = space > 0 ? space : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

export interface Titled {
  readonly title: string;
  readonly text: string;
}

const minColumnWidth = 36;
const gap = '  │  ';

/** Places two texts next to each other if the terminal is wide enough, otherwise one below the other. */
export function sideBySide(left: Titled, right: Titled, width: number): string {
  const columnWidth = Math.floor((width - gap.length) / 2);
  if (columnWidth < minColumnWidth) return [left, right].map((column) => stacked(column, width)).join('\n');
  const [leftLines, rightLines] = [left, right].map((column) => [
    column.title,
    '─'.repeat(columnWidth),
    ...wrapText(column.text, columnWidth),
  ]) as [string[], string[]];
  const height = Math.max(leftLines.length, rightLines.length);
  return Array.from({ length: height }, (_, row) =>
    `${(leftLines[row] ?? '').padEnd(columnWidth)}${gap}${rightLines[row] ?? ''}`.trimEnd(),
  ).join('\n');
}

function stacked({ title, text }: Titled, width: number): string {
  return [`${title}:`, ...wrapText(text, width - 2).map((line) => `  ${line}`)].join('\n');
}
