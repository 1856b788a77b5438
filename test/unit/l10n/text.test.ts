import { afterEach, expect, test } from 'vitest';
import { t, translate, useTranslations } from '../../../src/l10n/text.js';

afterEach(() => useTranslations({}));

const moved = (count: number, path: string) => t`${count} files are in ${path}.`;

test('a text without a translation is said in English, with its values', () => {
  expect(moved(3, '/data')).toBe('3 files are in /data.');
  expect(t`Nothing.`).toBe('Nothing.');
});

test('a translation fills the same blanks, in an order of its own and as often as it likes', () => {
  useTranslations({ '{0} files are in {1}.': '{1} 中有 {0} 个文件。', '{0} and again': '{0}、{0}' });
  expect(moved(3, '/data')).toBe('/data 中有 3 个文件。');
  expect(t`${'x'} and again`).toBe('x、x');
});

test('a value that looks like a blank, or like a pattern of replacement, stays what it is', () => {
  useTranslations({ '{0} files are in {1}.': '{1} 中有 {0} 个文件。' });
  expect(moved(3, '$& {0}')).toBe('$& {0} 中有 3 个文件。');
  useTranslations({});
  expect(moved(3, '$& {0}')).toBe('3 files are in $& {0}.');
});

test.each(['{1} 个文件', '{0} {1} {2}', '没有'])('a translation with missing or unknown blanks is not used: %s', (broken) => {
  useTranslations({ '{0} files are in {1}.': broken });
  expect(moved(3, '/data')).toBe('3 files are in /data.');
});

test('what every object inherits is no translation', () => {
  expect(t`toString`).toBe('toString');
  expect(translate('constructor')).toBe('constructor');
});

test('a text of data is looked up as it stands', () => {
  useTranslations({ 'Rank of the adapter.': '适配器的秩。' });
  expect(translate('Rank of the adapter.')).toBe('适配器的秩。');
  expect(translate('Something else.')).toBe('Something else.');
});
