import { expect, test } from 'vitest';
import { bytesInWords } from '../../../src/l10n/bytesInWords.js';

test.each([
  [0, 'en', '0 B'],
  [999, 'en', '999 B'],
  [1000, 'en', '1 kB'],
  [98_362_432, 'en', '98.4 MB'],
  [2_470_000_000, 'de', '2,47 GB'],
  [5e15, 'zh-cn', '5,000 TB'],
])('%d bytes in %s', (bytes, locale, text) => {
  expect(bytesInWords(bytes, locale)).toBe(text);
});
