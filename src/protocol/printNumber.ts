/** Prints 0.0003 as 3e-4, the way learning rates are written. */
export function printNumber(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
}
