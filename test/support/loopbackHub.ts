import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A repository of the loopback hub; its name begins with datasets/ if it holds data. */
export interface HostedRepository {
  readonly files: Readonly<Record<string, Buffer | string>>;
  readonly card?: object;
  /** Only this token may download. */
  readonly gatedFor?: string;
}

export interface SeenRequest {
  readonly url: string;
  readonly host: 'hub' | 'store';
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Answers a request instead of the hub; undefined lets the hub answer. */
export type Interruption = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Files from this size on are in the store for large files, as those under Git LFS are. */
const largeBytes = 1000;
const filesPerPage = 2;

/**
 * Speaks the hub's protocol on loopback (https://huggingface.co/docs/hub/api): descriptions, paged listings, and downloads,
 * where large files are redirected to a store on another port that knows ranges.
 */
export class LoopbackHub {
  readonly seen: SeenRequest[] = [];
  /** Bytes of files sent, headers excluded. */
  servedBytes = 0;
  private readonly interruptions: { match: RegExp; times: number; act: Interruption }[] = [];

  private constructor(
    readonly repositories: Record<string, HostedRepository>,
    private readonly hub: Server,
    private readonly store: Server,
  ) {}

  static async start(repositories: Record<string, HostedRepository>): Promise<LoopbackHub> {
    const [hub, store] = [createServer(), createServer()];
    await Promise.all([hub, store].map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))));
    const loopback = new LoopbackHub(repositories, hub, store);
    hub.on('request', loopback.listener('hub'));
    store.on('request', loopback.listener('store'));
    return loopback;
  }

  get endpoint(): string {
    return addressOf(this.hub);
  }

  /** The next `times` requests whose address matches are answered by `act`. */
  interrupt(match: RegExp, act: Interruption, times = 1): void {
    this.interruptions.push({ match, times, act });
  }

  forget(): void {
    this.seen.length = this.interruptions.length = this.servedBytes = 0;
  }

  stop(): void {
    for (const server of [this.hub, this.store]) {
      server.closeAllConnections();
      server.close();
    }
  }

  /** Sends the bytes from where the request wants them on; `until` hangs up there. */
  send(request: IncomingMessage, response: ServerResponse, content: Buffer, until = content.length): void {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const last = Number(/^bytes=\d+-(\d+)$/.exec(request.headers.range ?? '')?.[1] ?? content.length - 1);
    const part = content.subarray(start, Math.min(last + 1, until));
    this.servedBytes += request.method === 'HEAD' ? 0 : part.length;
    response.setHeader('accept-ranges', 'bytes');
    response.setHeader('content-length', last + 1 - start);
    if (request.headers.range) response.setHeader('content-range', `bytes ${start}-${last}/${content.length}`);
    response.writeHead(request.headers.range ? 206 : 200);
    if (request.method === 'HEAD' || until >= content.length) response.end(request.method === 'HEAD' ? undefined : part);
    else response.write(part, () => setTimeout(() => response.destroy(), 200)); // so that the part still arrives
  }

  private listener(host: SeenRequest['host']): RequestListener {
    return (request, response) => {
      const { url = '' } = request;
      this.seen.push({ url, host, authorization: request.headers.authorization, range: request.headers.range });
      const next = this.interruptions.find(({ match, times }) => times > 0 && match.test(url));
      if (next) {
        next.times--;
        if (next.act(request, response) !== undefined) return;
      }
      if (host === 'store') this.answerStore(request, response, url);
      else this.answerHub(request, response, decodeURIComponent(url));
    };
  }

  private answerHub(request: IncomingMessage, response: ServerResponse, url: string): void {
    const [, type, apiName, api, rest] = /^\/api\/(models|datasets)\/([^/]+\/[^/]+)\/(revision|tree)\/([^?]+)/.exec(url) ?? [];
    const [, page, path] = /^\/((?:datasets\/)?[^/]+\/[^/]+)\/resolve\/[^/]+\/([^?]+)/.exec(url) ?? [];
    const name = apiName === undefined ? page : `${type === 'datasets' ? 'datasets/' : ''}${apiName}`;
    const repository = this.repositories[name ?? ''];
    const token = request.headers.authorization?.replace('Bearer ', '');
    if (!name || !repository) return refuse(response, token ? 404 : 401, 'RepoNotFound');
    response.setHeader('x-repo-commit', commitOf(name));
    if (api === 'revision') {
      if (rest !== 'main' && rest !== 'HEAD' && rest !== commitOf(name)) return refuse(response, 404, 'RevisionNotFound');
      return json(response, describe(name, repository));
    }
    if (api === 'tree') return this.listPage(response, repository, new URL(url, this.endpoint));
    const content = repository.files[path!];
    if (content === undefined) return refuse(response, 404, 'EntryNotFound');
    if (repository.gatedFor !== undefined && token !== repository.gatedFor) {
      return refuse(response, token === undefined ? 401 : 403, 'GatedRepo');
    }
    this.resolve(request, response, Buffer.from(content), `${name}/${path!}`);
  }

  private resolve(request: IncomingMessage, response: ServerResponse, content: Buffer, place: string): void {
    if (content.length < largeBytes) {
      response.setHeader('etag', `"${gitHash(content)}"`);
      return this.send(request, response, content);
    }
    response.setHeader('x-linked-etag', `"${sha256(content)}"`);
    response.setHeader('x-linked-size', content.length);
    response.writeHead(302, { location: `${addressOf(this.store)}/${place}?signature=secret` }).end();
  }

  private answerStore(request: IncomingMessage, response: ServerResponse, url: string): void {
    const [, name, path] = /^\/((?:datasets\/)?[^/]+\/[^/]+)\/([^?]+)/.exec(decodeURIComponent(url)) ?? [];
    const content = this.repositories[name ?? '']?.files[path ?? ''];
    if (content === undefined) return void response.writeHead(404).end();
    response.setHeader('etag', `"${sha256(Buffer.from(content))}"`);
    this.send(request, response, Buffer.from(content));
  }

  private listPage(response: ServerResponse, { files }: HostedRepository, url: URL): void {
    const start = Number(url.searchParams.get('cursor') ?? 0);
    const folders = new Set(Object.keys(files).flatMap((path) => (path.includes('/') ? [path.split('/')[0]!] : [])));
    const entries = [
      ...[...folders].map((path) => ({ type: 'directory', oid: '0'.repeat(40), size: 0, path })),
      ...Object.entries(files).map(([path, content]) => entry(path, Buffer.from(content))),
    ];
    if (start + filesPerPage < entries.length) {
      url.searchParams.set('cursor', String(start + filesPerPage));
      response.setHeader('link', `<${url.href}>; rel="next"`);
    }
    json(response, entries.slice(start, start + filesPerPage));
  }
}

export function commitOf(name: string): string {
  return createHash('sha1').update(name).digest('hex');
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** What git hash-object says. */
export function gitHash(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

function describe(name: string, { card, gatedFor, files }: HostedRepository): object {
  const id = name.replace('datasets/', '');
  const siblings = Object.keys(files).map((rfilename) => ({ rfilename }));
  return {
    _id: '0',
    id,
    sha: commitOf(name),
    private: false,
    gated: gatedFor ? 'manual' : false,
    cardData: card ?? {},
    siblings,
  };
}

function entry(path: string, content: Buffer): object {
  const { length: size } = content;
  if (size < largeBytes) return { type: 'file', oid: gitHash(content), size, path };
  const pointer = Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(content)}\nsize ${size}\n`);
  const lfs = { oid: sha256(content), size, pointerSize: pointer.length };
  return { type: 'file', oid: gitHash(pointer), size, path, lfs };
}

function json(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-error-code': code, 'x-error-message': code });
  response.end(JSON.stringify({ error: code }));
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
