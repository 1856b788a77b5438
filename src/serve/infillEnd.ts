/**
 * Where a middle ends besides its stop strings, in llama.cpp's terms: before a line after the first that is indented by less than
 * `minIndent`; and after `maxMs` of writing, once the text has more than one line. 0 turns either off.
 */
export function infillEnd(minIndent: number, maxMs: number): (text: string) => number | undefined {
  let started: number | undefined;
  return (text) => {
    started ??= performance.now();
    const isLate = maxMs > 0 && performance.now() - started > maxMs;
    return shallowLine(text, minIndent) ?? (isLate && text.includes('\n') ? text.length : undefined);
  };
}

/** The end of the line before the first line that is indented by less than this; blank lines do not count. */
function shallowLine(text: string, minIndent: number): number | undefined {
  for (const { index, 1: indent } of text.matchAll(/\n([ \t]*)(?=[^\s])/g)) {
    if (indent!.length < minIndent) return index;
  }
  return undefined;
}
