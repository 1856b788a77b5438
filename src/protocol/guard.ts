/** @file Run-time checks of plain data that mirror the types: a guard of T names every key of T. */

/** Tells whether a value received from elsewhere is a T. */
export type Guard<T> = (value: unknown) => value is T;

export const string: Guard<string> = (value): value is string => typeof value === 'string';
export const boolean: Guard<boolean> = (value): value is boolean => typeof value === 'boolean';
/** Finite numbers only: JSON has no NaN or infinities; they arrive as null. */
export const number: Guard<number> = (value): value is number => typeof value === 'number' && Number.isFinite(value);
export const count: Guard<number> = (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
export const anything: Guard<unknown> = (_value): _value is unknown => true;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function oneOf<const T extends string | boolean>(...allowed: readonly T[]): Guard<T> {
  return (value): value is T => allowed.includes(value as T);
}

export function nullable<T>(guard: Guard<T>): Guard<T | null> {
  return (value): value is T | null => value === null || guard(value);
}

/** For a key that may be missing. */
export function optional<T>(guard: Guard<T>): Guard<T> {
  return (value): value is T => value === undefined || guard(value);
}

export function list<T>(guard: Guard<T>): Guard<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(guard);
}

export function recordOf<T>(guard: Guard<T>): Guard<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> => isRecord(value) && Object.values(value).every(guard);
}

/** Unknown keys are allowed, so that a newer peer may send more. */
export function object<T extends object>(guards: { readonly [K in keyof T]-?: Guard<T[K]> }): Guard<T> {
  const entries = Object.entries(guards) as [string, Guard<unknown>][];
  return (value): value is T => isRecord(value) && entries.every(([key, guard]) => guard(value[key]));
}

export function either<T extends readonly unknown[]>(...guards: { readonly [I in keyof T]: Guard<T[I]> }): Guard<T[number]> {
  return (value): value is T[number] => (guards as readonly Guard<unknown>[]).some((guard) => guard(value));
}
