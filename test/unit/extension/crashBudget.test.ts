import { expect, test } from 'vitest';
import { CrashBudget } from '../../../src/extension/crashBudget.js';

test('five crashes in three minutes are borne, a sixth is not, and time heals', () => {
  let now = 0;
  const budget = new CrashBudget(5, 180_000, () => now);
  expect([1, 2, 3, 4, 5].map(() => budget.spend())).toEqual([true, true, true, true, true]);
  expect(budget.spend()).toBe(false);
  now = 200_000;
  expect(budget.spend()).toBe(true);
});
