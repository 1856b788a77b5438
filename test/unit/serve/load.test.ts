/** Many clients at once, some of them ill-behaved. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { longQuestion, Served } from './served.js';

let served: Served;
beforeAll(async () => void (served = await Served.start()));
afterAll(() => served.stop());

const model = 'tiny-coder';

/** Asks for a stream, and tells who got a piece. */
async function listen(name: string, order: string[], changes: object = {}): Promise<string> {
  const stream = await served.client.chat.completions.create({ ...longQuestion, model, ...changes, stream: true });
  let text = '';
  for await (const { choices } of stream) {
    const piece = choices[0]?.delta.content;
    if (!piece) continue;
    text += piece;
    order.push(name);
  }
  return text;
}

test('the first token of one request comes while another streams, and from then on they take turns', async () => {
  const order: string[] = [];
  const first = listen('a', order, { max_tokens: 200 });
  while (order.length < 5) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([first, listen('b', order, { max_tokens: 60 })]);
  const [from, to] = [order.indexOf('b'), order.lastIndexOf('b')];
  expect(from).toBeLessThan(order.lastIndexOf('a'));
  const together = order.slice(from, to + 1);
  const ofA = together.filter((name) => name === 'a').length;
  expect(ofA / together.length, together.join('')).toBeGreaterThan(0.35);
  expect(ofA / together.length, together.join('')).toBeLessThan(0.65);
});

test('a text is the same alone and in company', async () => {
  const ask = (index: number) => listen('x', [], { max_tokens: 30, seed: index, model: index % 2 === 0 ? model : 'trained' });
  const alone = [];
  for (let index = 0; index < 6; index++) alone.push(await ask(index));
  expect(new Set(alone).size).toBe(6);
  expect(await Promise.all(alone.map((_, index) => ask(index)))).toEqual(alone);
});

test('eight clients, half of them gone half-way, malformed and huge bodies: all is given back', async () => {
  const huge = `{"prompt": "${'x'.repeat(5 << 20)}"}`;
  const round = async () => {
    const clients = Array.from({ length: 8 }, async (_, index) => {
      const controller = new AbortController();
      const response = await served.post(
        index % 4 === 3 ? '/infill' : '/v1/chat/completions',
        index % 4 === 3
          ? { input_prefix: 'def f(x):\n', input_suffix: '\n', n_predict: 40, stream: true }
          : { ...longQuestion, max_tokens: 40, stream: index % 2 === 0, model: index % 3 === 0 ? 'trained' : model },
        controller.signal,
      );
      if (index % 2 === 0) {
        await response.body!.getReader().read();
        return controller.abort();
      }
      expect(response.status).toBe(200);
      await response.text();
    });
    const malformed = ['{"messages"', '\u0000', '[[[[', huge].map(async (body) => {
      const response = await served.post('/v1/completions', body);
      await response.text();
      expect([400, 413]).toContain(response.status);
    });
    await Promise.all([...clients, ...malformed]);
  };
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const measure = async () => {
    await new Promise((resolve) => setTimeout(resolve, 6000)); // connections that are kept alive close
    // What fetch holds by weak references, such as a body that was sent, needs more than one collection.
    for (let times = 0; times < 4; times++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const handles = process.getActiveResourcesInfo().filter((kind) => /TCPSocket|Timeout|TCPConnect/.test(kind));
    return { memory: process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers, handles: handles.length };
  };
  for (let index = 0; index < 2; index++) await round();
  const before = await measure();
  for (let index = 0; index < 6; index++) await round();
  const after = await measure();
  expect(after.handles).toBeLessThanOrEqual(before.handles);
  expect((after.memory - before.memory) / 2 ** 20).toBeLessThan(5);
  expect((await served.post('/v1/completions', { prompt: 'well?', max_tokens: 1 })).status).toBe(200);
}, 180_000);
