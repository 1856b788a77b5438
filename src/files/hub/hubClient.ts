import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../atomicWrite.js';
import { downloadBlob, type OnProgress } from './downloadBlob.js';
import { blobPath, cachedFile, placeInSnapshot } from './hubCache.js';
import { HubConnection, type ConnectionOptions } from './hubConnection.js';
import { listRepository } from './listRepository.js';
import { repositoryPage, type HubCommit, type HubFile, type HubListing, type HubRepository } from './repository.js';

/**
 * Models and data sets of the hub, or of its mirror. The protocol's requests and answers are @huggingface/hub's; transfers are our
 * own, because the library cannot resume them and checks no checksums (docs/decisions/0022-hub-client.md).
 */
export class HubClient {
  private readonly connection: HubConnection;

  constructor(options: ConnectionOptions = {}) {
    this.connection = new HubConnection(options);
  }

  get endpoint(): string {
    return this.connection.endpoint;
  }

  /** Lists the files of a revision. Throws HubError. */
  list(repository: HubRepository, signal: AbortSignal): Promise<HubListing> {
    return listRepository(this.connection, repository, signal);
  }

  /**
   * Returns the path of a file in the shared cache, after downloading it if it is not there yet. An interrupted download is
   * continued. Throws HubError, or UserError if the disk refuses.
   */
  async download(listing: HubCommit, file: HubFile, onProgress: OnProgress, signal: AbortSignal): Promise<string> {
    const cached = cachedFile(listing, file);
    if (cached !== undefined) return cached;
    const blob = blobPath(listing, file);
    makeFolder(dirname(blob));
    if (!existsSync(blob)) {
      const { repository } = listing;
      const source = { connection: this.connection, repository, url: this.addressOf(listing, file), file };
      await downloadBlob(source, blob, onProgress, signal);
    }
    return placeInSnapshot(listing, file);
  }

  /** Asks for the first byte of a file. Throws HubError if the user may not download it. */
  async requireAccess({ repository, commit }: HubCommit, file: HubFile, signal: AbortSignal): Promise<void> {
    const url = this.addressOf({ repository, commit }, file);
    const { response } = await this.connection.transfer(url, repository, new Headers({ range: 'bytes=0-0' }), signal);
    await response.body?.cancel();
  }

  private addressOf({ repository, commit }: HubCommit, { path }: HubFile): string {
    const page = repositoryPage(this.endpoint, repository);
    return `${page}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
  }
}
