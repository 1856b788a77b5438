/** @file Clean-up at the end of a view, which lives from one hydrate to the next. */
const endings: (() => void)[] = [];

export function whenViewEnds(end: () => void): void {
  endings.push(end);
}

export function endView(): void {
  for (const end of endings.splice(0)) end();
}
