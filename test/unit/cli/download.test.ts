import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commitOf, LoopbackHub, type HostedRepository } from '../../support/loopbackHub.js';

/** The program as shipped; built before the tests. */
const program = resolve('dist/cli.js');
const judge = process.env['LORA_WORKBENCH_JUDGE'];
const tinyModel = Object.fromEntries(
  readdirSync('test/fixtures/models/tiny-llama').map((name) => [
    name,
    readFileSync(join('test/fixtures/models/tiny-llama', name)),
  ]),
);
const weights = tinyModel['model.safetensors']!;
const gguf = readFileSync('test/golden/formats/quantized.gguf');
const large = Buffer.alloc(3_000_000, 'large');
const repositories: Record<string, HostedRepository> = {
  'owner/tiny': {
    files: { ...tinyModel, 'README.md': 'a card', 'consolidated.safetensors': large, 'onnx/model.onnx': large },
    card: { license: 'apache-2.0' },
  },
  'owner/tiny-GGUF': {
    files: {
      'README.md': 'a card',
      'tiny-Q8_0.gguf': gguf,
      'tiny.Q4_K_M.gguf': Buffer.concat([gguf, Buffer.alloc(32)]),
      'mmproj-F16.gguf': large,
    },
    card: { license: 'other', license_name: 'tiny-licence' },
  },
  'owner/gated': { files: tinyModel, gatedFor: 'right-token', card: { license: 'llama3.2' } },
  'owner/bert': { files: { 'config.json': '{"model_type":"bert","architectures":["BertModel"]}', 'model.safetensors': large } },
  'datasets/owner/rows': {
    files: {
      'README.md': 'a card',
      'data/train-00000-of-00001.parquet': readFileSync('test/fixtures/data/rows-zstd.parquet'),
      'test.csv': 'prompt,completion,id\n"Say, hi",Hi,1\nBye?,Bye,2\n',
    },
    card: { license: 'cc-by-4.0' },
  },
  'owner/huge': { files: { 'config.json': tinyModel['config.json']!, 'model.safetensors': large } },
};

let hub: LoopbackHub;
let folder: string;
beforeAll(async () => {
  hub = await LoopbackHub.start(repositories);
});
afterAll(() => hub.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-workbench-'));
  hub.forget();
});
afterEach(() => rmSync(folder, { recursive: true }));

const environment = (more: NodeJS.ProcessEnv = {}) => ({
  ...process.env,
  HF_ENDPOINT: hub.endpoint,
  HF_HOME: folder,
  HF_TOKEN: '',
  HF_HUB_CACHE: undefined,
  LORA_WORKBENCH_CACHE: join(folder, 'own'),
  ...more,
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function lora(
  args: readonly string[],
  { env = {}, killAt = '' }: { env?: NodeJS.ProcessEnv; killAt?: string } = {},
): Promise<Ended> {
  return new Promise((end) => {
    const child = spawn(process.execPath, [program, ...args], { cwd: folder, env: environment(env) });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('close', (code) => end({ code, stdout, stderr }));
    if (killAt)
      hub.interrupt(new RegExp(killAt), (request, response) => killHalfWay(request.url!, response, () => child.kill('SIGKILL')));
  });
}

/** Sends half of the weights, and ends the program with kill -9 once that is on its disk. */
function killHalfWay(url: string, response: { write(bytes: Buffer): void }, kill: () => void): boolean {
  const half = weights.subarray(0, weights.length / 2);
  response.write(half);
  const name = url.split('/')[2]!;
  const timer = setInterval(() => {
    if (partSizes(`owner/${name}`).includes(half.length)) {
      clearInterval(timer);
      kill();
    }
  }, 10);
  return true;
}

const blobsOf = (name: string) => join(folder, 'hub', `models--${name.replace('/', '--')}`, 'blobs');
function partSizes(name: string): number[] {
  const parts = readdirSync(blobsOf(name)).filter((blob) => blob.endsWith('.incomplete'));
  return parts.map((part) => statSync(join(blobsOf(name), part)).size);
}
const snapshot = (name: string) => join(folder, 'hub', `models--${name.replace('/', '--')}`, 'snapshots', commitOf(name));
const lastJson = ({ stdout }: Ended) => JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, unknown>;

describe('download --dataset', () => {
  it('brings one split of a data set, which is then described by its columns and measured', async () => {
    const { code, stdout } = await lora(['download', '--dataset', 'owner/rows:test.csv']);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('cc-by-4.0') as string });
    const columns = { prompt: 'prompt', completion: 'answer', id: null };
    const described = lastJson(await lora(['inspect', 'owner/rows:test.csv', '--json']));
    expect(described).toMatchObject({ kind: 'data', format: 'prompt-completion', columns, records: 2 });
    const model = resolve('test/fixtures/models/tiny-llama');
    const options = ['--model', model, '--device', 'cpu', '--json'];
    const measured = lastJson(await lora(['evaluate', ...options, '--data', 'owner/rows:test.csv']));
    expect(measured).toMatchObject({ examples: 2, format: 'prompt-completion' });
  });

  it('is not needed before training: what is missing is downloaded then', async () => {
    const config = { model: resolve('test/fixtures/models/tiny-llama'), data: { path: 'owner/rows', format: 'text' } };
    writeFileSync(join(folder, 'run.json'), JSON.stringify(config));
    const { code, stdout } = await lora(['train', '--config', 'run.json', '--dry-run', '--set', 'engine.device=cpu']);
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Downloading owner/rows: one file') as string,
    });
  });

  it('says what there is when the name is wrong', async () => {
    const { code, stderr } = await lora(['download', '--dataset', 'owner/rows:dev']);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('train') as string });
    expect((await lora(['download', '--dataset', 'rows.csv'])).stderr).toMatch(/rows\.csv names no data set of the hub/);
  });
});

describe('download', () => {
  it('says what comes and under which licence, brings it, and the model answers by its name', async () => {
    const { code, stdout } = await lora(['download', 'owner/tiny']);
    expect(code).toBe(0);
    expect(stdout).toContain('apache-2.0');
    expect(stdout).toMatch(/model\.safetensors +\d+ kB/);
    expect(readdirSync(snapshot('owner/tiny')).sort()).toEqual(Object.keys(tinyModel).sort());
    const answer = await lora([
      'generate',
      '--model',
      'owner/tiny',
      '--prompt',
      'def',
      '--max-new-tokens',
      '3',
      '--device',
      'cpu',
    ]);
    expect(answer.stderr).toBe('');
    expect(answer.code).toBe(0);
    hub.forget();
    const again = await lora(['download', 'owner/tiny', '--json']);
    expect(lastJson(again)).toEqual({ path: snapshot('owner/tiny') });
    expect(again.stdout).toContain('"missingBytes":0');
    expect(hub.servedBytes).toBe(0);
  });

  it('takes one GGUF: the usual one, the one quantized as asked, or the one named', async () => {
    const usual = await lora(['download', 'owner/tiny-GGUF', '--json']);
    expect(lastJson(usual)).toEqual({ path: join(snapshot('owner/tiny-GGUF'), 'tiny.Q4_K_M.gguf') });
    expect(usual.stdout).toContain('"licence":"tiny-licence"');
    for (const args of [
      ['owner/tiny-GGUF', '--quantization', 'q8_0'],
      ['owner/tiny-GGUF:Q8_0'],
      ['owner/tiny-GGUF', '--file', '*Q8*'],
    ]) {
      expect(lastJson(await lora(['download', ...args, '--json']))).toEqual({
        path: join(snapshot('owner/tiny-GGUF'), 'tiny-Q8_0.gguf'),
      });
    }
    const none = await lora(['download', 'owner/tiny-GGUF', '--quantization', 'Q2_K']);
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/owner\/tiny-GGUF holds no model Q2_K\. Its files: .*tiny-Q8_0\.gguf/);
  });

  it('loses nothing when it is killed in the middle, and the next one fetches only the rest', async () => {
    const killed = await lora(['download', 'owner/tiny'], { killAt: 'model.safetensors' });
    expect(killed.code).toBe(null);
    expect(partSizes('owner/tiny')).toEqual([weights.length / 2]);
    const before = readdirSync(snapshot('owner/tiny'));
    hub.forget();
    const { code, stdout } = await lora(['download', 'owner/tiny']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/kB of .*; the rest is there/);
    expect(hub.servedBytes).toBe(weights.length / 2);
    expect(readdirSync(snapshot('owner/tiny'))).toEqual(expect.arrayContaining(before));
    expect(readFileSync(join(snapshot('owner/tiny'), 'model.safetensors')).equals(weights)).toBe(true);
    expect(partSizes('owner/tiny')).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('keeps what a disk took that refuses more, and goes on from there', async () => {
    // The system lets the program write no file larger than this many kilobytes.
    const limited = promisify(execFile)(
      'bash',
      ['-c', `ulimit -f 1000; "${process.execPath}" "${program}" download owner/huge`],
      { env: environment() },
    );
    await expect(limited).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('could not be written') as string });
    const [kept] = partSizes('owner/huge');
    expect(kept).toBeGreaterThan(900_000);
    hub.forget();
    expect((await lora(['download', 'owner/huge'])).code).toBe(0);
    expect(hub.servedBytes).toBe(large.length - kept!);
  });

  it('refuses what would not fit on the disk before any of it comes', async () => {
    hub.interrupt(/tree/, (_, response) => {
      const lfs = { oid: 'a'.repeat(64), size: 10 ** 15, pointerSize: 1 };
      return response.end(JSON.stringify([{ type: 'file', path: 'model.gguf', oid: 'a'.repeat(40), size: 10 ** 15, lfs }]));
    });
    const { code, stderr } = await lora(['download', 'owner/huge']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/owner\/huge needs 1,000 TB, and the disk of .* has .* left/)]);
    expect(hub.servedBytes).toBe(0);
  });

  it('refuses an architecture that cannot be trained before its weights come', async () => {
    const { code, stderr } = await lora(['download', 'owner/bert']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('describes BertModel')]);
    expect(hub.seen.filter(({ host }) => host === 'store')).toEqual([]);
  });

  it('needs a token for a gated model, by option, environment or login, and says where access is given', async () => {
    const refused = await lora(['download', 'owner/gated']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`ask for access at ${hub.endpoint}/owner/gated`)]);
    expect((await lora(['download', 'owner/gated'], { env: { HF_TOKEN: 'wrong' } })).stderr).toContain(
      'has no access to owner/gated yet',
    );
    expect((await lora(['download', 'owner/gated', '--token', 'right-token'])).code).toBe(0);
  });

  it('without a name, lists good first models and what they need', async () => {
    const { stdout } = await lora(['download']);
    expect(stdout).toMatch(
      /HuggingFaceTB\/SmolLM2-135M-Instruct +134\.5 million parameters, 269 MB to download, 1\.\d+ GB to train, apache-2\.0/,
    );
    expect(stdout).toContain('Qwen/Qwen2.5-Coder-1.5B');
    expect(stdout).toContain('llama3.2 (gated)');
  });
});

describe.runIf(judge)('the cache, as huggingface_hub sees it', () => {
  const python = async (...args: string[]) =>
    JSON.parse(
      (await promisify(execFile)(judge!, ['test/judge/hub_cache.py', ...args], { env: environment() })).stdout,
    ) as unknown;

  it('is whole: every file under its name, of its size, at the revision', async () => {
    await lora(['download', 'owner/tiny']);
    const files = Object.entries(tinyModel).map(([name, { length }]) => [name, length]);
    expect(await python('scan')).toEqual({
      warnings: [],
      repositories: [
        {
          name: 'owner/tiny',
          type: 'model',
          revisions: [{ commit: commitOf('owner/tiny'), refs: ['main'], files: files.sort() }],
        },
      ],
    });
    expect(await python('find', 'owner/tiny', 'model.safetensors')).toBe(join(snapshot('owner/tiny'), 'model.safetensors'));
  });

  it('that huggingface_hub made is used as it is, and the other way round', async () => {
    await python('download', 'owner/tiny');
    hub.forget();
    expect(lastJson(await lora(['download', 'owner/tiny', '--json']))).toEqual({ path: snapshot('owner/tiny') });
    expect(hub.servedBytes).toBe(0);
    await lora(['download', 'owner/tiny-GGUF', '--file', '*.gguf']);
    hub.forget();
    expect(await python('download', 'owner/tiny-GGUF')).toBe(snapshot('owner/tiny-GGUF'));
    expect(hub.servedBytes).toBe('a card'.length);
  });
});
