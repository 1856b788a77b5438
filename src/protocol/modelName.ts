/**
 * What people call a model, from its path: the last part, except in the stores of other programs, whose paths end in a commit
 * (…/models--OWNER--NAME/snapshots/COMMIT) or in a tag (…/manifests/REGISTRY/NAMESPACE/NAME/TAG).
 */
export function modelName(path: string): string {
  const parts = path.split(/[\\/]/).filter(Boolean);
  const [store, , , name, tag] = parts.slice(-5);
  if (store === 'manifests') return `${name}:${tag}`;
  const [repository, snapshots] = parts.slice(-3);
  if (snapshots === 'snapshots' && repository?.startsWith('models--')) return repository.split('--').at(-1)!;
  return parts.at(-1) ?? path;
}
