let collator: Intl.Collator | undefined;

/** Compares as people count: "r 8" before "r 16". Made when first needed, since making it takes longer than the sorting. */
export function compareNaturally(a: string, b: string): number {
  return (collator ??= new Intl.Collator('en', { numeric: true })).compare(a, b);
}
