/** @file Decides when ghost text ends. Pure functions over the text so far. */

export type StopMode = 'line' | 'block';

/** Chooses a block after a line that opens one, otherwise a line. */
export function chooseMode(prefix: string, mode: 'auto' | StopMode): StopMode {
  if (mode !== 'auto') return mode;
  const lines = prefix.trimEnd().split('\n');
  const startsLine = /(^|\n)[ \t]*$/.test(prefix);
  const opens = /([:{([]|=>|\bdo|\bthen)\s*$/.test(lines.at(-1) ?? '');
  return startsLine && opens ? 'block' : 'line';
}

/**
 * Returns the length at which the text ends, or undefined while it continues. A line ends at its first line break with something
 * before it. A block ends before a line that is indented less than the text began, or at an empty line followed by another.
 */
export function stopAt(text: string, prefix: string, mode: StopMode): number | undefined {
  return mode === 'line' ? lineEnd(text) : blockEnd(text, prefix);
}

function lineEnd(text: string): number | undefined {
  const firstWord = text.search(/\S/);
  if (firstWord < 0) return undefined;
  const end = text.indexOf('\n', firstWord);
  return end < 0 ? undefined : end;
}

function blockEnd(text: string, prefix: string): number | undefined {
  const cursorIndent = indentOf(prefix.slice(prefix.lastIndexOf('\n') + 1));
  let blockIndent: number | undefined;
  let lineStart = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', lineStart)) {
    const line = text.slice(lineStart, end);
    const indent = lineStart === 0 ? cursorIndent + indentOf(line) : indentOf(line);
    if (line.trim() !== '') {
      if (blockIndent !== undefined && indent < blockIndent) return closesBlock(line) ? end : lineStart - 1;
      blockIndent ??= indent;
    } else if (blockIndent !== undefined && text.slice(end + 1).startsWith('\n')) {
      return lineStart > 0 ? lineStart - 1 : 0;
    }
    lineStart = end + 1;
  }
  // The last line is still being written, but its indentation is known once it has a word.
  const last = text.slice(lineStart);
  const begun = lineStart > 0 && /\S/.test(last) && blockIndent !== undefined && indentOf(last) < blockIndent;
  return begun && !closesBlock(last) ? lineStart - 1 : undefined;
}

/** A bracket that closes the block belongs to it. */
function closesBlock(line: string): boolean {
  return /^\s*([}\])]|end\b)/.test(line);
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
