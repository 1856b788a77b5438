import { datasetInfo, listFiles, modelInfo, type ListFileEntry } from '@huggingface/hub';
import { t } from '../../l10n/text.js';
import type { HubConnection } from './hubConnection.js';
import { HubError, oddAnswer } from './hubErrors.js';
import { isCommit, isRelativePath, type FileHash, type HubFile, type HubListing, type HubRepository } from './repository.js';

const maxFiles = 100_000;

/** Lists what a revision holds, at one commit. What the server says is checked before any of it names a file. */
export async function listRepository(
  connection: HubConnection,
  repository: HubRepository,
  signal: AbortSignal,
): Promise<HubListing> {
  const { endpoint } = connection;
  const access = { hubUrl: endpoint, fetch: connection.fetchFor(repository, signal) };
  try {
    const info = await describe(repository, access);
    const { sha: commit } = info;
    if (typeof commit !== 'string' || !isCommit(commit)) throw oddAnswer(endpoint, t`it names no commit`);
    const files: HubFile[] = [];
    const repo = { type: repository.type, name: repository.name };
    for await (const entry of listFiles({ repo, revision: commit, recursive: true, ...access })) {
      if (entry.type === 'file') files.push(checkedFile(entry, endpoint));
      if (files.length > maxFiles) throw new HubError('download-failed', t`${repository.name} has more than ${maxFiles} files.`);
    }
    return { repository, commit, licence: licenceOf(info.cardData), isGated: Boolean(info.gated), card: info.cardData, files };
  } catch (error) {
    // Of the library itself, only the parsing of answers can fail.
    if (error instanceof SyntaxError || error instanceof TypeError) throw oddAnswer(endpoint, error.message);
    throw error;
  }
}

interface Info {
  readonly sha?: unknown;
  readonly gated?: unknown;
  readonly cardData?: unknown;
}

function describe({ type, name, revision }: HubRepository, access: { hubUrl: string; fetch: typeof fetch }): Promise<Info> {
  const request = { name, revision, ...access };
  return type === 'model'
    ? modelInfo({ ...request, additionalFields: ['sha', 'cardData'] })
    : datasetInfo({ ...request, additionalFields: ['sha', 'cardData'] });
}

function checkedFile({ path, size, oid, lfs }: ListFileEntry, endpoint: string): HubFile {
  const hash = lfs ? hashOf('sha256', lfs.oid) : hashOf('git', oid);
  const sizeBytes = lfs ? lfs.size : size;
  if (typeof path !== 'string' || !isRelativePath(path)) throw oddAnswer(endpoint, t`it lists the file ${String(path)}`);
  if (!hash || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw oddAnswer(endpoint, t`it gives no checksum and size of ${path}`);
  return { path, sizeBytes, hash };
}

const digestLengths = { sha256: 64, git: 40 } as const;

function hashOf(kind: FileHash['kind'], digest: unknown): FileHash | undefined {
  const isDigest = typeof digest === 'string' && new RegExp(`^[0-9a-f]{${digestLengths[kind]}}$`).test(digest);
  return isDigest ? { kind, digest } : undefined;
}

/** For "other", the card has the licence's own name. */
function licenceOf(card: unknown): string | null {
  const { license, license_name: own } = (card ?? {}) as { license?: unknown; license_name?: unknown };
  if (license === 'other' && typeof own === 'string') return own;
  const licences = [license].flat().filter((each): each is string => typeof each === 'string');
  return licences.join(', ') || null;
}
