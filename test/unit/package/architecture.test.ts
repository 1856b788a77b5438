/** The documents that describe the code are accurate. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { coreFolders, layers } from '../../../eslint.config.mjs';

type Imports = Readonly<Record<string, readonly string[]>>;

const text = readFileSync('docs/architecture.md', 'utf8');

/** The rows of the folder table: what each folder may import. */
function documentedImports(): Imports {
  const rows = [...text.matchAll(/^\| `([^`]+)` \| .* \| ([^|]+) \|$/gm)].map(
    ([, folder, allowed]) => [folder!, allowed!] as const,
  );
  return Object.fromEntries(
    rows.map(([folder, allowed], index) => {
      if (allowed === 'nothing') return [folder, []];
      if (allowed !== 'all above') return [folder, allowed.split(', ').map((name) => inSource(name, folder))];
      const above = rows.slice(0, index).map(([name]) => name);
      return [folder, above.filter((name) => !name.startsWith('src/core/'))];
    }),
  );
}

function inSource(name: string, folder: string): string {
  return folder.startsWith('src/core/') ? `src/core/${name}` : `src/${name}`;
}

/** What the linter allows folders to import. */
function enforcedImports(): Imports {
  const ofCore = Object.entries(coreFolders).map(([folder, allowed]) => [
    `src/core/${folder}`,
    allowed.map((name) => `src/core/${name}`),
  ]);
  return { ...layers, ...Object.fromEntries(ofCore) };
}

test('the table of folders says what the linter enforces', () => {
  const sorted = (imports: Imports) =>
    Object.fromEntries(Object.entries(imports).map(([folder, allowed]) => [folder, [...allowed].sort()]));
  expect(sorted(documentedImports())).toEqual(sorted(enforcedImports()));
});

test('every file and folder that is named exists', () => {
  const named = [...text.matchAll(/`((?:src|webview|test|scripts|docs|dist)\/[^`*<>]+|package\.json|[\w.]+\.mjs)`/g)].map(
    ([, path]) => path!,
  );
  expect(named.length).toBeGreaterThan(25);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});
