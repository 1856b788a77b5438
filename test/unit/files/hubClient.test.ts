import { mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { placeInSnapshot } from '../../../src/files/hub/hubCache.js';
import { HubClient } from '../../../src/files/hub/hubClient.js';
import type { HubError } from '../../../src/files/hub/hubErrors.js';
import { parseRepository, type HubListing } from '../../../src/files/hub/repository.js';
import { commitOf, gitHash, LoopbackHub, sha256 } from '../../support/loopbackHub.js';

const weights = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 2654435761) >>> 24));
const other = Buffer.alloc(5000, 'other');
const config = '{"model_type":"llama"}';
const name = 'somebody/tiny';
const patience = { answerMs: 2000, silenceMs: 1000, pauseMs: 5, attempts: 5 };

let cache: string;
let hub: LoopbackHub;
beforeEach(async () => {
  cache = mkdtempSync(join(tmpdir(), 'lora-workbench-'));
  vi.stubEnv('HF_HUB_CACHE', cache);
  vi.stubEnv('HF_TOKEN', '');
  vi.stubEnv('HF_TOKEN_PATH', join(cache, 'token'));
  hub = await LoopbackHub.start({
    [name]: {
      files: { 'config.json': config, 'model.safetensors': weights, 'other.safetensors': other, 'sub/one.txt': 'one' },
      card: { license: 'mit' },
    },
    'owner/gated': { files: { 'config.json': config, 'model.safetensors': weights }, gatedFor: 'right-token' },
    'datasets/somebody/data': { files: { 'train.jsonl': '{"text":"a"}\n' } },
  });
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
});
afterEach(() => {
  hub.stop();
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

const client = (token?: string) => new HubClient({ token, patience });
const never = new AbortController().signal;
const quiet = () => undefined;
const list = (repository = name) => client().list(parseRepository(repository, 'model'), never);
const download = async (path = 'model.safetensors', signal = never, onProgress: (done: number) => void = quiet) => {
  const listing = await list();
  return client().download(listing, fileOf(listing, path), onProgress, signal);
};
const fileOf = ({ files }: HubListing, path: string) => files.find((file) => file.path === path)!;
const blobs = () => readdirSync(join(cache, 'models--somebody--tiny', 'blobs'));
const isWhole = (path: string) => Buffer.compare(readFileSync(path), weights) === 0;

describe('listing', () => {
  it('reads all pages: sizes, checksums, commit and licence', async () => {
    const { files, ...rest } = await list();
    expect(rest).toEqual({
      repository: { type: 'model', name, revision: 'main' },
      commit: commitOf(name),
      licence: 'mit',
      isGated: false,
      card: { license: 'mit' },
    });
    expect(files).toEqual([
      { path: 'config.json', sizeBytes: config.length, hash: { kind: 'git', digest: gitHash(Buffer.from(config)) } },
      { path: 'model.safetensors', sizeBytes: weights.length, hash: { kind: 'sha256', digest: sha256(weights) } },
      { path: 'other.safetensors', sizeBytes: other.length, hash: { kind: 'sha256', digest: sha256(other) } },
      { path: 'sub/one.txt', sizeBytes: 3, hash: { kind: 'git', digest: gitHash(Buffer.from('one')) } },
    ]);
  });

  it('reads data sets too', async () => {
    const listing = await client().list(parseRepository('somebody/data', 'dataset'), never);
    const path = await client().download(listing, listing.files[0]!, quiet, never);
    expect(path).toBe(join(cache, 'datasets--somebody--data', 'snapshots', listing.commit, 'train.jsonl'));
    expect(readFileSync(path, 'utf8')).toBe('{"text":"a"}\n');
  });

  it.each([
    [{ path: '../../.bashrc', size: 1, oid: '0'.repeat(40) }, '../../.bashrc'],
    [{ path: 'C:\\evil', size: 1, oid: '0'.repeat(40) }, 'C:\\evil'],
    [{ path: '/etc/passwd', size: 1, oid: '0'.repeat(40) }, '/etc/passwd'],
    [{ path: 'a', size: 1, oid: '../../a' }, 'no checksum'],
    [{ path: 'a', size: -1, oid: '0'.repeat(40) }, 'no checksum and size'],
    ['nonsense', 'does not answer as the hub does'],
  ])('takes nothing on trust: %j', async (entry, said) => {
    const answer = (response: ServerResponse) =>
      response.end(JSON.stringify(entry === 'nonsense' ? 5 : [{ type: 'file', ...Object(entry) }]));
    hub.interrupt(/tree/, (_, response) => answer(response));
    await expect(list()).rejects.toThrow(said);
  });
});

describe('downloading', () => {
  it('follows the redirect to the store, checks, and shows the file in the snapshot', async () => {
    const reported: number[] = [];
    const path = await download('model.safetensors', never, (done) => reported.push(done));
    expect(path).toBe(join(cache, 'models--somebody--tiny', 'snapshots', commitOf(name), 'model.safetensors'));
    expect(isWhole(path)).toBe(true);
    expect(readlinkSync(path)).toBe(join('..', '..', 'blobs', sha256(weights)));
    expect(readFileSync(join(cache, 'models--somebody--tiny', 'refs', 'main'), 'utf8')).toBe(commitOf(name));
    expect(reported.at(-1)).toBe(weights.length);
    expect(reported).toEqual([...reported].sort((a, b) => a - b));
    expect(blobs()).toEqual([sha256(weights)]);
  });

  it('never sends what is there again, nor a content that another name or commit has', async () => {
    await download();
    hub.forget();
    await download();
    expect(hub.seen.filter(({ url }) => url.includes('resolve'))).toEqual([]);
    rmSync(join(cache, 'models--somebody--tiny', 'snapshots'), { recursive: true });
    expect(isWhole(await download())).toBe(true);
    expect(hub.servedBytes).toBe(0);
  });

  it('where links are forbidden, the snapshot has the file itself', async () => {
    const listing = await list();
    const file = fileOf(listing, 'model.safetensors');
    await download();
    const forbidden = (() => {
      throw new Error('EPERM');
    }) as typeof symlinkSync;
    const path = placeInSnapshot(listing, file, forbidden);
    expect(realpathSync(path)).toBe(realpathSync(cache) + path.slice(cache.length));
    expect(isWhole(path)).toBe(true);
    hub.forget();
    expect(await download()).toBe(path);
    expect(hub.servedBytes).toBe(0);
  });

  it('continues where the connection broke, as often as it breaks', async () => {
    for (const until of [1_000_000, 1_500_000, 2_000_000]) {
      hub.interrupt(/signature/, (request, response) => {
        hub.send(request, response, weights, until);
        return true;
      });
    }
    const reported: number[] = [];
    expect(isWhole(await download('model.safetensors', never, (done) => reported.push(done)))).toBe(true);
    const ranges = hub.seen.filter(({ host }) => host === 'store').map(({ range }) => range);
    const starts = ranges.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]));
    // What was on its way when the connection broke is lost; what was written is not asked for again.
    expect(starts).toHaveLength(3);
    expect(starts.every((start, index) => start > (starts[index - 1] ?? 0) && reported.includes(start))).toBe(true);
  });

  it('keeps what has arrived when it is cancelled, and goes on from there', async () => {
    const controller = new AbortController();
    hub.interrupt(/signature/, (_, response) => response.writeHead(200).write(weights.subarray(0, 500_000)));
    const stopAt = (done: number) => (done === 500_000 ? controller.abort() : undefined);
    await expect(download('model.safetensors', controller.signal, stopAt)).rejects.toThrow('abort');
    hub.forget();
    expect(isWhole(await download())).toBe(true);
    expect(hub.servedBytes).toBe(weights.length - 500_000);
    expect(blobs()).toEqual([sha256(weights)]);
  });

  it('starts over with a server that knows no ranges', async () => {
    hub.interrupt(/signature/, (request, response) => {
      hub.send(request, response, weights, 1_000_000);
      return true;
    });
    hub.interrupt(/signature/, (_, response) => response.end(weights));
    expect(isWhole(await download())).toBe(true);
  });

  it('refuses another range than the one asked for', async () => {
    hub.interrupt(/signature/, (request, response) => {
      hub.send(request, response, weights, 1_000_000);
      return true;
    });
    hub.interrupt(/signature/, (_, response) => {
      response.writeHead(206, { 'content-range': `bytes 5-9/${weights.length}` });
      return response.end('other');
    });
    await expect(download()).rejects.toThrow('another part');
  });

  it('refuses content with the wrong checksum, longer or shorter content, and leaves none of it', async () => {
    const wrong = Buffer.from(weights).fill(7, 0, 1);
    hub.interrupt(/signature/, (_, response) => response.end(wrong));
    await expect(download()).rejects.toThrow('wrong checksum');
    expect(blobs()).toEqual([]);
    hub.interrupt(/signature/, (_, response) => response.end(Buffer.concat([weights, weights])));
    await expect(download()).rejects.toThrow('longer than listed');
    expect(isWhole(await download())).toBe(true);
  });

  it('does not let a damaged part spoil the file', async () => {
    const part = join(cache, 'models--somebody--tiny', 'blobs', `${sha256(weights)}.${2 ** 30}-1.incomplete`);
    await download('config.json');
    writeFileSync(part, Buffer.alloc(1000));
    expect(isWhole(await download())).toBe(true);
    expect(hub.servedBytes).toBe(config.length + 2 * weights.length - 1000);
  });

  it('lets several download one file at the same time: each ends well, and nothing is left beside it', async () => {
    const paths = await Promise.all([download(), download(), download()]);
    expect(paths.every(isWhole)).toBe(true);
    expect(blobs()).toEqual([sha256(weights)]);
  });

  it.runIf(process.platform === 'linux')('says that the disk is full, and goes on when there is space again', async () => {
    await download('config.json');
    // Writing to this device fails as on a full disk.
    symlinkSync('/dev/full', join(cache, 'models--somebody--tiny', 'blobs', `${sha256(weights)}.${2 ** 30}-1.incomplete`));
    await expect(download()).rejects.toMatchObject({
      code: 'file-write-failed',
      message: expect.stringContaining('disk is full') as string,
    });
    rmSync(
      join(
        cache,
        'models--somebody--tiny',
        'blobs',
        blobs().find((blob) => blob.endsWith('.incomplete'))!,
      ),
    );
    expect(isWhole(await download())).toBe(true);
  });
});

describe('a hub that refuses', () => {
  const answerWith = (status: number, headers: Record<string, string> = {}) => {
    hub.interrupt(/./, (_, response) => response.writeHead(status, headers).end(), 1);
  };

  it('tries again after the time that it is told to wait, and after failures of the server', async () => {
    answerWith(429, { 'retry-after': '1' });
    answerWith(503);
    answerWith(500);
    const began = performance.now();
    await list();
    expect(performance.now() - began).toBeGreaterThan(1000);
  });

  it('asks for another address of a file when the one it got has expired', async () => {
    hub.interrupt(/signature/, (_, response) => response.writeHead(403).end());
    expect(isWhole(await download())).toBe(true);
    hub.interrupt(/signature/, (_, response) => response.writeHead(403).end(), Infinity);
    await expect(download('other.safetensors')).rejects.toThrow(/127\.0\.0\.1:\d+ answers 403/);
  });

  it('gives up when that does not help', async () => {
    hub.interrupt(/./, (_, response) => response.writeHead(502).end(), Infinity);
    await expect(list()).rejects.toThrow('answers 502. Try again later');
    expect(hub.seen).toHaveLength(5);
  });

  it('does not wait for hours', async () => {
    answerWith(429, { 'retry-after': '7200' });
    await expect(list()).rejects.toThrow('Try again in 120 minutes');
  });

  it('tries again when it says nothing for long', async () => {
    hub.interrupt(/signature/, (_, response) => {
      response.writeHead(200);
      return response.write(weights.subarray(0, 100_000));
    });
    expect(isWhole(await download())).toBe(true);
    expect(hub.servedBytes).toBe(weights.length - 100_000);
  });

  it('says that nobody is there', async () => {
    hub.stop();
    await expect(list()).rejects.toThrow(/127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)/);
  });

  it.each([
    ['somebody/absent', /has no somebody\/absent, or it is private/],
    ['somebody/tiny@v9', /somebody\/tiny has no revision v9/],
  ])('tells what is absent: %s', async (repository, said) => {
    await expect(list(repository)).rejects.toThrow(said);
  });

  it('knows a gated model, whom to ask, and that a token does not help yet', async () => {
    const listing = await list('owner/gated');
    expect(listing.isGated).toBe(true);
    const [file] = listing.files;
    const error = await client()
      .requireAccess(listing, file!, never)
      .catch((reason: unknown) => reason as HubError);
    expect(error).toMatchObject({ code: 'access-denied', accessPage: `${hub.endpoint}/owner/gated` });
    expect((error as HubError).message).toContain('is gated: ask for access at');
    await expect(client('wrong-token').requireAccess(listing, file!, never)).rejects.toThrow('has no access to owner/gated yet');
    await client('right-token').requireAccess(listing, file!, never);
  });

  it('takes the token of the environment or the login, and shows it to the hub alone', async () => {
    writeFileSync(join(cache, 'token'), 'token-of-login\n');
    await download();
    vi.stubEnv('HF_TOKEN', 'token-of-environment');
    await list();
    const seen = (host: string) =>
      new Set(hub.seen.filter((request) => request.host === host).map(({ authorization }) => authorization));
    expect([...seen('hub')]).toEqual(['Bearer token-of-login', 'Bearer token-of-environment']);
    expect([...seen('store')]).toEqual([undefined]);
  });

  it('does not follow a listing to another host with the token', async () => {
    const other = await LoopbackHub.start({});
    hub.interrupt(/tree/, (_, response) => {
      response.setHeader('link', `<${other.endpoint}/api/models/a/b/tree/main>; rel="next"`);
      return response.end('[]');
    });
    await client('secret')
      .list(parseRepository(name, 'model'), never)
      .catch(() => undefined);
    expect(other.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
    other.stop();
  });

  it('does not go online when the user forbids it', async () => {
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    await expect(list()).rejects.toThrow('HF_HUB_OFFLINE');
    expect(hub.seen).toEqual([]);
  });
});

describe('naming a repository', () => {
  it.each([
    ['owner/name', 'owner/name', 'main'],
    ['owner/name@v1.0', 'owner/name', 'v1.0'],
    ['owner/name@refs/pr/3', 'owner/name', 'refs/pr/3'],
    ['https://huggingface.co/owner/name', 'owner/name', 'main'],
    ['https://hf-mirror.com/owner/name/tree/dev', 'owner/name', 'dev'],
    ['https://huggingface.co/owner/name/blob/main/config.json?x=1', 'owner/name', 'main'],
  ])('%s', (text, repository, revision) => {
    expect(parseRepository(text, 'model')).toEqual({ type: 'model', name: repository, revision });
  });

  it.each([
    'name',
    'a/b/c',
    '../x',
    'owner/..',
    'owner/a--b',
    'owner/name@../..',
    'owner/name@',
    '/etc',
    'ow ner/x',
    'https://x.y',
  ])('refuses %s', (text) => {
    expect(() => parseRepository(text, 'model')).toThrow('names no repository of the hub');
  });
});

it('goes through the proxy of the environment, except to the hosts that it leaves out', async () => {
  const targets: string[] = [];
  const proxy = createServer().on('connect', (request, socket) => {
    targets.push(request.url!);
    const [host, port] = request.url!.split(':') as [string, string];
    const there = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      there.pipe(socket).pipe(there);
    });
    there.on('error', () => socket.destroy());
    socket.on('error', () => there.destroy());
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  try {
    vi.stubEnv('http_proxy', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    vi.stubEnv('no_proxy', '');
    expect(isWhole(await download())).toBe(true);
    const used = targets.length;
    expect(targets).toContain(new URL(hub.endpoint).host);
    vi.stubEnv('no_proxy', '127.0.0.1');
    await list();
    expect(targets).toHaveLength(used);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
