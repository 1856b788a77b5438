import type { AdapterInfo } from '../protocol/backend.js';

/**
 * The names by which other tools ask for adapters, to be typed into their settings: without blanks, and each different from the
 * others and from the base's.
 */
export function servedNames(
  base: string,
  adapters: readonly Pick<AdapterInfo, 'path' | 'name'>[],
): readonly { readonly path: string; readonly name: string }[] {
  const taken = new Set([base]);
  return adapters.map(({ path, name: shown }) => {
    const plain = shown.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^-+|-+$/g, '') || 'adapter';
    let name = plain;
    for (let count = 2; taken.has(name); count++) name = `${plain}-${count}`;
    taken.add(name);
    return { path, name };
  });
}
