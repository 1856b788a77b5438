/** An answer and its reader, over a real connection. */
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { Exchange } from '../../../src/serve/exchange.js';
import { usualLimits } from '../../../src/serve/limits.js';

/** Far more than the system's buffers hold. */
const much = 'x'.repeat(32 << 20);

/** How long the answer took until it was complete or its client had gone. */
async function answered(write: (exchange: Exchange) => void, reads: boolean): Promise<{ ms: number; heard: number }> {
  let [heard, ended] = [0, (): void => undefined];
  const over = new Promise<void>((resolve) => (ended = resolve));
  const server = createServer((request, response) => {
    const exchange = new Exchange(request, response, { ...usualLimits, readMs: 400 });
    exchange.signal.addEventListener('abort', ended);
    write(exchange);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const started = performance.now();
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  if (reads) socket.on('data', (data) => (heard += data.length));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await over;
  const ms = performance.now() - started;
  if (reads) await closed;
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  return { ms, heard };
}

test.each<[string, (exchange: Exchange) => void]>([
  ['a whole answer', (exchange) => exchange.json(200, { much })],
  ['an event', (exchange) => exchange.event({ much })],
  [
    'a stream that has ended',
    (exchange) => {
      for (let sent = 0; sent < 32; sent++) exchange.event(much.slice(0, 1 << 20));
      exchange.endEvents();
    },
  ],
])('who does not read %s is disconnected', async (_, write) => {
  const { ms } = await answered(write, false);
  expect(ms).toBeGreaterThan(390);
});

test('who reads gets all of it', async () => {
  const text = much.slice(0, 4 << 20);
  expect((await answered((exchange) => exchange.json(200, { text }), true)).heard).toBeGreaterThan(text.length);
});
