/** Who is let in, and how much each may take. */
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { startEndpoint } from '../../../src/serve/endpoint.js';
import { key, longQuestion, Served } from './served.js';

let served: Served;
afterEach(() => served.stop());

const authorized = { Authorization: `Bearer ${key}` };

describe('access', () => {
  test('needs the key, except to learn that the endpoint lives', async () => {
    served = await Served.start();
    const statuses = async (path: string) => {
      const keys = [undefined, '', 'Bearer', 'Bearer wrong', `Basic ${key}`, `Bearer ${key}`, `bearer ${key}`];
      const asked = keys.map((value) => served.raw(path, value === undefined ? {} : { Authorization: value }));
      return (await Promise.all(asked)).map(({ status }) => status);
    };
    expect(await statuses('/v1/models')).toEqual([401, 401, 401, 401, 401, 200, 200]);
    expect(await statuses('/health')).toEqual(Array(7).fill(200));
    const refused = await fetch(`${served.endpoint.url}/v1/models`);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(await refused.json()).toMatchObject({ error: { type: 'authentication_error', code: 'invalid_api_key' } });
  });

  test('on this machine alone is not under names that a web page gave it', async () => {
    served = await Served.start();
    const statusFor = async (host: string) => (await served.raw('/v1/models', { ...authorized, Host: host })).status;
    for (const host of ['127.0.0.1', 'localhost:1', 'LOCALHOST', '[::1]:8012', '127.0.0.2:80']) {
      expect([host, await statusFor(host)]).toEqual([host, 200]);
    }
    for (const host of ['evil.example', 'evil.example:8012', '127.0.0.1.evil.example', 'localhost.evil.example', '192.168.0.1']) {
      expect([host, await statusFor(host)]).toEqual([host, 403]);
    }
  });

  test('is for web pages only where they were named', async () => {
    served = await Served.start({ corsOrigins: ['http://localhost:3000'], apiKey: null });
    const preflight = {
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type,x-stainless-os',
    };
    const ask = (origin: string, method: string) => served.raw('/v1/chat/completions', { Origin: origin, ...preflight }, method);
    const allowed = await ask('http://localhost:3000', 'OPTIONS');
    expect(allowed).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': 'http://localhost:3000',
        'access-control-allow-headers': 'content-type,x-stainless-os',
        vary: 'Origin',
      },
    });
    const other = await ask('http://evil.example', 'OPTIONS');
    expect(other.status).toBe(405);
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
    expect((await served.raw('/v1/models', { Origin: 'http://evil.example' })).headers).not.toHaveProperty(
      'access-control-allow-origin',
    );
    const models = await served.raw('/v1/models', { Origin: 'http://localhost:3000' });
    expect(models.headers['access-control-allow-origin']).toBe('http://localhost:3000');
  });

  test('from other machines is refused without a key; a taken port and unfit adapters are told', async () => {
    served = await Served.start();
    const port = Number(new URL(served.endpoint.url).port);
    const options = { model: served.model, adapters: [], engine: { device: 'cpu', threads: 1 } as const, corsOrigins: [] };
    const start = (changes: object) => startEndpoint({ ...options, host: '127.0.0.1', port: 0, apiKey: key, ...changes });
    await expect(start({ host: '0.0.0.0', apiKey: null })).rejects.toThrow('0.0.0.0 can be reached from other machines');
    await expect(start({ port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is in use.`);
    await expect(start({ host: '192.0.2.1' })).rejects.toThrow('The endpoint cannot listen on 192.0.2.1');
    await expect(start({ adapters: [{ path: 'test/golden/adapters/one-layer' }] })).rejects.toMatchObject({
      code: 'adapter-mismatch',
    });
    const twice = [{ path: 'a/adapter' }, { path: 'b/a' }];
    await expect(start({ adapters: twice })).rejects.toThrow('Two models would be called a.');
  });
});

describe('limits', () => {
  test('bodies are not larger than allowed, announced or not', async () => {
    served = await Served.start({ limits: { maxBodyBytes: 100_000 } });
    const body = JSON.stringify({ prompt: 'x'.repeat(200_000) });
    expect((await served.post('/v1/completions', body)).status).toBe(413);
    const pieces = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < 20; sent++) controller.enqueue(Buffer.alloc(20_000, 'x'));
        controller.close();
      },
    });
    const streamed = await fetch(`${served.endpoint.url}/v1/completions`, {
      method: 'POST',
      headers: { ...authorized, 'Content-Type': 'application/json' },
      body: pieces,
      duplex: 'half',
    } as RequestInit);
    expect(streamed.status).toBe(413);
    expect((await served.post('/v1/completions', { prompt: 'still here', max_tokens: 1 })).status).toBe(200);
  });

  test('more requests than allowed are told to come back; those that were cancelled make room', async () => {
    served = await Served.start({ limits: { maxRequests: 6 } });
    const controllers = Array.from({ length: 6 }, () => new AbortController());
    // Four are written, two wait.
    const running = controllers.map(({ signal }) =>
      served.post('/v1/chat/completions', { ...longQuestion, stream: true }, signal).catch(() => undefined),
    );
    await Promise.race(running);
    const refused = await served.post('/v1/chat/completions', longQuestion);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
    expect((await fetch(`${served.endpoint.url}/v1/models`, { headers: authorized })).status).toBe(200);
    controllers.forEach((controller) => controller.abort());
    await eventually(async () => (await served.post('/v1/completions', { prompt: 'a', max_tokens: 1 })).status === 200);
  });

  test('who sends too slowly is cut off', async () => {
    served = await Served.start({ limits: { headersMs: 300, requestMs: 600 } });
    const headersOnly = open('POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    const bodyOnly = open(
      `POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n{`,
    );
    const drip = setInterval(() => [headersOnly, bodyOnly].forEach(({ socket }) => socket.writable && socket.write(' ')), 50);
    const ended = await Promise.all([headersOnly.ended, bodyOnly.ended]);
    clearInterval(drip);
    expect(ended).toEqual([expect.stringContaining('408'), expect.stringContaining('408')]);
  });
});

/** A connection that speaks for itself. */
function open(text: string): { socket: Socket; ended: Promise<string> } {
  const { hostname, port } = new URL(served.endpoint.url);
  const socket = connect(Number(port), hostname);
  let heard = '';
  socket.on('data', (data) => (heard += data.toString())).on('error', () => undefined);
  socket.write(text);
  return { socket, ended: new Promise((resolve) => socket.on('close', () => resolve(heard))) };
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('Waited in vain.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
