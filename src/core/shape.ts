/** The lengths of a tensor's axes, outermost first. */
export type Shape = readonly number[];

export function elementCount(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
