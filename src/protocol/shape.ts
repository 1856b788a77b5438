/** @file Run-time checks of plain data that follow the types: a shape for T names every key of T. */

/** Says whether a value that came from elsewhere is a T. */
export type Shape<T> = (value: unknown) => value is T;

export const string: Shape<string> = (value): value is string => typeof value === 'string';
export const boolean: Shape<boolean> = (value): value is boolean => typeof value === 'boolean';
/** JSON has no others: NaN and the infinities arrive as null. */
export const number: Shape<number> = (value): value is number => typeof value === 'number' && Number.isFinite(value);
export const count: Shape<number> = (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
export const anything: Shape<unknown> = (_value): _value is unknown => true;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function oneOf<const T extends string | boolean>(...allowed: readonly T[]): Shape<T> {
  return (value): value is T => allowed.includes(value as T);
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value): value is T | null => value === null || shape(value);
}

/** For a key that may be missing. */
export function optional<T>(shape: Shape<T>): Shape<T> {
  return (value): value is T => value === undefined || shape(value);
}

export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(shape);
}

export function recordOf<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> => isRecord(value) && Object.values(value).every(shape);
}

/** Unknown keys are let through, so that a newer side may say more. */
export function object<T extends object>(shapes: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const entries = Object.entries(shapes) as [string, Shape<unknown>][];
  return (value): value is T => isRecord(value) && entries.every(([key, shape]) => shape(value[key]));
}

export function either<T extends readonly unknown[]>(...shapes: { readonly [I in keyof T]: Shape<T[I]> }): Shape<T[number]> {
  return (value): value is T[number] => (shapes as readonly Shape<unknown>[]).some((shape) => shape(value));
}
