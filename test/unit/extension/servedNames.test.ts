import { expect, test } from 'vitest';
import { servedNames } from '../../../src/extension/servedNames.js';

test('adapters are served under names that can be typed, each of its own', () => {
  const shown = ['data · tiny-llama · r8', 'data · tiny-llama · r8 (best)', 'sql', 'sql', 'tiny-llama', '我的适配器', '…'];
  const names = servedNames(
    'tiny-llama',
    shown.map((name, index) => ({ name, path: `/${index}` })),
  );
  expect(names.map(({ name }) => name)).toEqual([
    'data-tiny-llama-r8',
    'data-tiny-llama-r8-best',
    'sql',
    'sql-2',
    'tiny-llama-2',
    '我的适配器',
    'adapter',
  ]);
  expect(names.map(({ path }) => path)).toEqual(shown.map((_, index) => `/${index}`));
});
