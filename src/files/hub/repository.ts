/** @file What a repository of the hub is called, and what it holds. */
import { UserError } from '../../core/errors.js';
import { t } from '../../l10n/text.js';

export interface HubRepository {
  readonly type: 'model' | 'dataset';
  /** OWNER/NAME; a few old data sets have no owner. */
  readonly name: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

export interface HubCommit {
  readonly repository: HubRepository;
  /** The commit to which the revision pointed when it was looked up. */
  readonly commit: string;
}

export interface HubListing extends HubCommit {
  /** As its authors call it ("apache-2.0", "llama3.2"); null if they do not say. */
  readonly licence: string | null;
  /** Whether its owner decides who may download it. */
  readonly isGated: boolean;
  /** The metadata on its card, as its authors wrote it: anything. */
  readonly card: unknown;
  readonly files: readonly HubFile[];
}

export interface HubFile {
  /** Relative to the repository, with slashes; never outside it. */
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 of the content of large files; git's name of the others: the SHA-1 of "blob", size, a zero and the content. */
  readonly hash: FileHash;
}

export interface FileHash {
  readonly kind: 'sha256' | 'git';
  readonly digest: string;
}

/** OWNER/NAME, OWNER/NAME@revision, or the address of a page of the repository. Throws UserError if it is none of them. */
export function parseRepository(text: string, type: HubRepository['type']): HubRepository {
  const { name, revision = 'main' } = fromAddress(text.trim()) ?? fromName(text.trim());
  if (!isRepositoryName(name, type) || !isRelativePath(revision)) {
    const message = t`${text} names no repository of the hub. Expected OWNER/NAME, such as HuggingFaceTB/SmolLM2-135M-Instruct, OWNER/NAME@REVISION, or the address of its page.`;
    throw new UserError('config-invalid', message);
  }
  return { type, name, revision };
}

/** The repository's page, for people. */
export function repositoryPage(endpoint: string, { type, name }: HubRepository): string {
  return `${endpoint}/${type === 'dataset' ? 'datasets/' : ''}${name}`;
}

/** Whether a path taken from elsewhere stays inside any folder, on any platform. */
export function isRelativePath(path: string): boolean {
  const parts = path.split('/');
  return !/[\\:\0]/.test(path) && parts.every((part) => part !== '' && part !== '.' && part !== '..');
}

/** https://huggingface.co/OWNER/NAME, with or without datasets/, /tree/REVISION and more; of a mirror as well. */
function fromAddress(text: string): { name: string; revision?: string } | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const [owner, name, page, revision] = new URL(text).pathname
    .replace(/^\/datasets\//, '/')
    .split('/')
    .slice(1);
  if (!owner || !name) return undefined;
  const isOfRevision = revision && (page === 'tree' || page === 'blob' || page === 'resolve');
  return { name: `${owner}/${name}`, ...(isOfRevision ? { revision: decodeURIComponent(revision) } : {}) };
}

function fromName(text: string): { name: string; revision?: string } {
  const [name, ...revision] = text.split('@');
  return { name: name!, ...(revision.length > 0 ? { revision: revision.join('@') } : {}) };
}

/** The hub's own rule: letters, digits, _, . and -, without -- and .. (they would make folder names ambiguous). */
export function isRepositoryName(name: string, type: HubRepository['type']): boolean {
  const parts = name.split('/');
  const hasOwner = parts.length === 2 || (parts.length === 1 && type === 'dataset');
  return hasOwner && parts.every((part) => /^\w[\w.-]{0,95}$/.test(part) && !/--|\.\.|[.-]$/.test(part));
}

export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}
