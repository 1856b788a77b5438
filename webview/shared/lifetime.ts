/** @file A view lives from one hydrate to the next: what must end with it is told so. */
const endings: (() => void)[] = [];

export function whenViewEnds(end: () => void): void {
  endings.push(end);
}

export function endView(): void {
  for (const end of endings.splice(0)) end();
}
