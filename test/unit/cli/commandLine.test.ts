import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCodeModel } from '../codeModel.js';
import { readRunConfig } from '../../../src/runs/runConfigFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';

/** The program as shipped; built before the tests. */
const program = resolve('dist/cli.js');
const tinyModel = resolve('test/fixtures/models/tiny-llama');
const otherAdapter = resolve('test/golden/adapters/one-layer');
const noTokenizer = resolve('test/fixtures/models/gqa-tied');
let folder: string;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as a script would, without a terminal. `interruptAt`: sends Ctrl+C once stdout contains this text. */
function lora(
  args: readonly string[],
  { interruptAt, env: more }: { interruptAt?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  return new Promise((end) => {
    const env = { ...process.env, ...more, LORA_WORKBENCH_CACHE: join(folder, 'cache') };
    const child = spawn(process.execPath, [program, ...args], { cwd: folder, env });
    let [stdout, stderr, interrupted] = ['', '', false];
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
      if (interrupted || !interruptAt || !stdout.includes(interruptAt)) return;
      interrupted = true;
      child.kill('SIGINT');
    });
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('close', (code) => end({ code, stdout, stderr }));
  });
}

function jsonLines({ stdout }: Ended): Record<string, unknown>[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const adapterBytes = (run: string) => readFileSync(join(folder, run, 'adapter', 'adapter_model.safetensors'));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-workbench-'));
  const rows = Array.from({ length: 24 }, (_, index) => ({
    instruction: `Name color ${index}.`,
    output: 'It is blue.',
  }));
  writeFileSync(join(folder, 'data.jsonl'), `${rows.map((row) => JSON.stringify(row)).join('\n')}\nnot json\n`);
  writeFileSync(
    join(folder, 'run.json'),
    `{ // comments are allowed
      "model": ${JSON.stringify(tinyModel)},
      "data": { "path": "data.jsonl", "eval_fraction": 0.2, "max_seq_length": 160 },
      "lora": { "target_modules": ["q_proj", "v_proj", "up_proj", "down_proj"] },
      "train": { "max_steps": 12, "batch_size": 2, "learning_rate": 2e-2, "warmup_steps": 1, "eval_steps": 6, "save_steps": 4 },
    }`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a run from the command line', () => {
  it('trains and says so in plain lines', async () => {
    const { code, stdout, stderr } = await lora(['train', '--config', 'run.json', '--out', 'whole']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/To learn from +19 examples/);
    expect(stdout).toMatch(/skipped .*data\.jsonl:25: not valid JSON/);
    expect(stdout).toMatch(/step 12\/12 {2}loss [\d.]+ {2}learning rate \S+ {2}\d+ tokens\/s/);
    expect(stdout).toContain(`The adapter is in ${join('whole', 'adapter')}.`);
  });

  it('saves a checkpoint on Ctrl+C and resumes to the same adapter', async () => {
    const stopped = await lora(['train', '--config', 'run.json', '--out', 'broken', '--set', 'train.save_steps=100'], {
      interruptAt: 'step 5/12',
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toContain('lora-workbench resume broken');
    const resumed = await lora(['resume', 'broken']);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).not.toContain('step 5/12');
    expect(Buffer.compare(adapterBytes('broken'), adapterBytes('whole'))).toBe(0);
  });

  it('trains what waits in a folder one after the other; Ctrl+C leaves a run in its place', async () => {
    const config = readRunConfig(join(folder, 'run.json'));
    const [first, second] = ['a', 'b'].map((name) =>
      RunDirectory.create(join(folder, 'waiting', name), config, { status: 'queued', queuedAt: new Date().toISOString() }),
    );
    const stopped = await lora(['queue', 'waiting'], { interruptAt: 'step 5/12' });
    expect(stopped.code).toBe(130);
    expect([first!, second!].map((run) => run.readState().status)).toEqual(['queued', 'queued']);
    expect(first!.readState().step).toBeGreaterThanOrEqual(5);
    const { code, stdout } = await lora(['queue', 'waiting']);
    expect(code).toBe(0);
    expect(stdout.match(/^Training .*$|^The adapter is in .*$/gm)).toEqual([
      'Training a.',
      `The adapter is in ${join('waiting', 'a', 'adapter')}.`,
      'Training b.',
      `The adapter is in ${join('waiting', 'b', 'adapter')}.`,
    ]);
    for (const name of ['a', 'b']) expect(Buffer.compare(adapterBytes(join('waiting', name)), adapterBytes('whole'))).toBe(0);
    expect(await lora(['queue', 'waiting'])).toMatchObject({ code: 0, stdout: 'No run waits in waiting.\n' });
  });

  it('evaluates: the trained adapter beats the base on its own data', async () => {
    const loss = async (...adapter: string[]) => {
      const ended = await lora(['evaluate', '--model', tinyModel, ...adapter, '--data', 'data.jsonl', '--json']);
      const [result] = jsonLines(ended) as [{ loss: number; perplexity: number; labelTokens: number; skipped: number }];
      expect(result.perplexity).toBeCloseTo(Math.exp(result.loss), 6);
      expect(result).toMatchObject({ skipped: 1, examples: 24, format: 'alpaca' });
      return result.loss;
    };
    expect(await loss('--adapter', 'whole/adapter')).toBeLessThan((await loss()) - 1);
  });

  it('evaluates the base as it is stored, and says so', async () => {
    const args = ['evaluate', '--model', tinyModel, '--data', 'data.jsonl'];
    const [words, json] = await Promise.all([lora(args), lora([...args, '--json'])]);
    expect(words.stdout).toMatch(/^ {2}Computed on +CPU, \d+ threads?, fp32 base$/m);
    expect(jsonLines(json)).toMatchObject([{ engine: expect.stringMatching(/^CPU, \d+ threads?, fp32 base$/) as string }]);
  });

  it('generates what the adapter has learned, the same each time', async () => {
    const args = [
      'generate',
      '--model',
      tinyModel,
      '--adapter',
      'whole/adapter',
      '--prompt',
      'Name color 3.',
      '--max-new-tokens',
      '12',
    ];
    const [words, json] = await Promise.all([lora(args), lora([...args, '--json'])]);
    const [result] = jsonLines(json);
    expect(result).toMatchObject({ template: 'alpaca', text: words.stdout.trimEnd() });
    const base = await lora(args.filter((arg) => arg !== '--adapter' && arg !== 'whole/adapter').concat('--template', 'alpaca'));
    expect(words.stdout).not.toBe(base.stdout);
  });

  it('completes a file at the cursor', async () => {
    writeFileSync(join(folder, 'text.txt'), 'The loss is the mean of the\n\nThe end.\n');
    const args = ['complete', 'text.txt', '--line', '1', '--model', tinyModel, '--mode', 'line', '--json'];
    const [result] = jsonLines(await lora(args));
    // The tiny model knows its corpus by heart.
    expect(result).toMatchObject({ text: expect.stringMatching(/^ negative logarithm/) as string, fillInTheMiddle: null });
    const unfit = await lora([...args, '--fim', 'qwen']);
    expect(unfit.code).toBe(1);
    expect(jsonLines(unfit).at(-1)).toMatchObject({
      error: { message: expect.stringContaining('lacks <|fim_prefix|>') as string },
    });
    const own = await lora([...args, '--fim-prefix', '<before>', '--fim-suffix', '<behind>', '--fim-order', 'SPM']);
    expect(jsonLines(own).at(-1)).toMatchObject({ fillInTheMiddle: 'custom' });
    const half = await lora([...args, '--fim-prefix', '<before>']);
    expect(jsonLines(half).at(-1)).toMatchObject({
      error: { message: expect.stringContaining('--fim-prefix and --fim-suffix') as string },
    });
    const beyond = await lora(['complete', 'text.txt', '--line', '9', '--model', tinyModel]);
    expect(beyond).toMatchObject({ code: 1, stderr: 'error: text.txt has 4 lines, so there is no line 9.\n' });
  });

  it('says how a model fills in the middle, or that it does not', async () => {
    writeCodeModel(join(folder, 'mellum'), ['<fim_prefix>', '<fim_suffix>', '<fim_middle>', '<filename>', '<assistant>']);
    const mellum = await lora(['inspect', 'mellum']);
    expect(mellum.stdout).toMatch(/Fill in the middle +mellum \(suffix, prefix, middle; file headers\)/);
    expect(jsonLines(await lora(['inspect', 'mellum', '--json']))).toMatchObject([
      { fillInTheMiddle: { name: 'mellum', order: 'SPM', fileHeaders: true } },
    ]);
    const tiny = await lora(['inspect', tinyModel]);
    expect(tiny.stdout).toMatch(/Fill in the middle +not learned; it can only go on from what stands before the cursor/);
  });

  it('exports a run, and converts a model', async () => {
    const merged = await lora(['export', 'whole', '--to', 'merged', '--out', 'exported/merged']);
    expect(merged).toMatchObject({ code: 0, stderr: '' });
    expect(merged.stdout).toMatch(/Compared +logits differ by 0.*same at 48 of 48 places\n.*vllm serve .*exported\/merged/);
    const [model] = jsonLines(await lora(['inspect', 'exported/merged', '--json']));
    expect(model).toMatchObject({ kind: 'model', storedTypes: ['F32'], hasChatTemplate: true });

    const gguf = await lora(['convert', 'exported/merged', '--to', 'gguf', '--dtype', 'q8_0', '--out', 'a.gguf', '--json']);
    expect(jsonLines(gguf)).toMatchObject([{ dtype: 'q8_0', parity: { positions: 48 }, uses: [{ tool: 'llama.cpp' }, {}] }]);
    const lost = await lora(['export', otherAdapter, '--to', 'peft', '--out', 'lost']);
    expect(lost).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/was trained on gqa-tied, which is not there.*--model/) as string,
    });
  }, 240_000);

  it('inspects model, adapter, run and data', async () => {
    const paths = [tinyModel, 'whole/adapter', 'whole', 'data.jsonl', join(tinyModel, 'model.safetensors'), noTokenizer];
    const inspected = await Promise.all(paths.map(async (path) => jsonLines(await lora(['inspect', path, '--json']))[0]));
    expect(inspected.map((each) => each!['kind'])).toEqual(['model', 'adapter', 'run', 'data', 'model', 'model']);
    expect(inspected.slice(4)).toMatchObject([
      { tokenizerProblem: null, hasChatTemplate: true, fillInTheMiddle: null },
      { tokenizerProblem: expect.stringContaining('tokenizer.json is missing') as string },
    ]);
    expect(inspected[1]).toMatchObject({ r: 8, alpha: 16, scale: 2, baseModel: tinyModel });
    expect(inspected[2]).toMatchObject({ state: { status: 'finished', step: 12 } });
    expect(inspected[3]).toMatchObject({
      format: 'alpaca',
      records: 24,
      skippedCount: 1,
      skipped: [{ origin: expect.stringMatching(/:25$/) as string }],
    });
  });
});

describe('a model without tokenizer.json', () => {
  const data = () => join(folder, 'ids.jsonl');
  beforeAll(() => {
    const rows = Array.from({ length: 6 }, (_, row) => ({
      input_ids: Array.from({ length: 12 }, (_, at) => (row + 5 * at) % 96),
    }));
    writeFileSync(data(), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  });

  it('is trained and evaluated on ready-made ids', async () => {
    writeFileSync(
      join(folder, 'ids.json'),
      JSON.stringify({
        model: noTokenizer,
        data: { path: data(), max_seq_length: 16, eval_fraction: 0.2 },
        train: { max_steps: 2, batch_size: 2, sample_prompts: 2 },
      }),
    );
    const trained = await lora(['train', '--config', 'ids.json', '--out', 'ids']);
    expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: '' });
    expect(trained.stdout).toMatch(/warning: .*answers.*tokenizer\.json is missing/);
    expect(trained.stdout).toMatch(/step 2\/2/);
    const args = ['evaluate', '--model', noTokenizer, '--adapter', 'ids/adapter', '--data', data(), '--json'];
    expect(jsonLines(await lora([...args, '--max-seq-length', '16']))).toMatchObject([{ format: 'tokens', examples: 6 }]);
  });

  it('cannot do what needs text, and says which file would bring it', async () => {
    const missing = `error: ${join(noTokenizer, 'tokenizer.json')} is missing: without it, text cannot be turned into tokens. `;
    const [generated, trained] = await Promise.all([
      lora(['generate', '--model', noTokenizer, '--prompt', 'x']),
      lora(['evaluate', '--model', noTokenizer, '--data', 'data.jsonl', '--max-seq-length', '16']),
    ]);
    for (const { code, stderr } of [generated, trained]) {
      expect(code).toBe(1);
      expect(stderr.slice(0, missing.length)).toBe(missing);
    }
  });
});

describe('for programs', () => {
  it('train --json is the metrics of metrics.jsonl between the pre-flight and the end', async () => {
    const ended = await lora(['train', '--config', 'run.json', '--out', 'json', '--set', 'train.max_steps=3', '--json']);
    const [first, ...rest] = jsonLines(ended);
    const last = rest.pop();
    expect(first).toMatchObject({ preflight: { totalSteps: 3, skippedCount: 1 } });
    expect(rest).toEqual(jsonLines({ ...ended, stdout: readFileSync(join(folder, 'json', 'metrics.jsonl'), 'utf8') }));
    expect(last).toMatchObject({ status: 'finished', step: 3, run: join(folder, 'json') });
  });

  it('a dry run reports and leaves nothing behind', async () => {
    const [report] = jsonLines(await lora(['train', '--config', 'run.json', '--out', 'dry', '--dry-run', '--json']));
    expect(report).toMatchObject({ totalSteps: 12, training: { examples: 19 }, evaluation: { examples: 5 } });
    expect(existsSync(join(folder, 'dry'))).toBe(false);
  });

  it('doctor finds a machine that can train', async () => {
    const { code, stdout } = await lora(['doctor', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      engine: { providers: expect.arrayContaining(['cpu']) as string[] },
      models: [],
    });
  });

  it('doctor says why ONNX Runtime cannot be loaded', async () => {
    const reason = 'libonnxruntime.so.1: cannot open shared object file: No such file or directory';
    const hook = join(folder, 'hook.cjs');
    writeFileSync(
      hook,
      `const Module = require('node:module');
       const load = Module._load;
       Module._load = (name, ...rest) => {
         if (name === 'onnxruntime-node') throw new Error(${JSON.stringify(reason)});
         return load(name, ...rest);
       };`,
    );
    const missing = { NODE_OPTIONS: `--require ${JSON.stringify(hook)}` };
    const { code, stdout } = await lora(['doctor'], { env: missing });
    expect(code).toBe(1);
    expect(stdout).toContain(`✗ ONNX Runtime cannot be loaded: ${reason}.\n`);
    const [machine] = jsonLines(await lora(['doctor', '--json'], { env: missing }));
    expect(machine).toMatchObject({ engine: null, engineProblem: reason });
  });

  it('a failure is one line on stderr and an object on stdout', async () => {
    const ended = await lora(['inspect', 'nowhere', '--json']);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/^error: .*nowhere.*\n$/);
    expect(jsonLines(ended)).toEqual([
      { error: { code: 'file-not-found', message: expect.stringContaining('nowhere') as string } },
    ]);
  });
});

describe('the demo where no model can be fetched', () => {
  /** Neither the model hub nor pip answers. */
  const offline = () => {
    const hook = join(folder, 'offline.cjs');
    writeFileSync(hook, `globalThis.fetch = () => Promise.reject(new Error('offline'));`);
    return { NODE_OPTIONS: `--require ${JSON.stringify(hook)}`, PATH: folder };
  };

  it('trains the tiny model, examines base and adapter, and says what comes of it', async () => {
    const demo = (...args: string[]) => lora(['demo', '--max-steps', '2', ...args], { env: offline() });
    const [words, json] = await Promise.all([demo('--out', 'demo'), demo('--out', 'demo-json', '--json')]);
    const { code, stdout, stderr } = words;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/goes on with the tiny LLaMA/);
    expect(stdout).toMatch(/About .+ from here to the result\./);
    expect(stdout).toMatch(/step 2\/2 {2}loss/);
    expect(stdout).toMatch(/120\/120 answers {2}0 s left/);
    expect(stdout).toMatch(/Right answers +base 0 of 60 \(0 %\), adapter 0 of 60 \(0 %\)/);
    expect(stdout.match(/^✗ base model +│ {2}✗ with the adapter$/gm)).toHaveLength(3);
    expect(stdout).toContain(`--adapter ${join('demo', 'adapter-best')} --prompt`);
    expect(existsSync(join(folder, 'demo', 'adapter-best', 'adapter_model.safetensors'))).toBe(true);

    const { answers, heldOutLoss, ...rest } = jsonLines(json).at(-1) as {
      answers: object[];
      heldOutLoss: Record<string, number>;
    };
    expect(rest).toMatchObject({ pretrained: false, right: { base: 0, adapter: 0 } });
    expect(answers).toHaveLength(60);
    const { base, adapter } = heldOutLoss;
    expect(stdout).toContain(`base ${base!.toFixed(3)}, adapter ${adapter!.toFixed(3)}`);
  }, 120_000);
});

describe('mistakes end with the right exit code and one clear message', () => {
  it.each([
    { args: ['train', '--config', 'absent.json'], code: 1, message: /absent\.json could not be read/ },
    {
      args: ['train', '--config', 'run.json', '--set', 'train.learning_rat=1'],
      code: 1,
      message: /did you mean train\.learning_rate/,
    },
    { args: ['train', '--config', 'run.json', '--out', '.'], code: 1, message: /is not empty/ },
    { args: ['resume', 'absent'], code: 1, message: /absent is not a run directory/ },
    { args: ['generate', '--model', 'absent', '--prompt', 'x'], code: 1, message: /no model/ },
    {
      args: ['evaluate', '--model', tinyModel, '--data', 'absent.jsonl'],
      code: 1,
      message: /absent\.jsonl does not exist/,
    },
    { args: ['generate', '--model', tinyModel, '--adapter', '.', '--prompt', 'x'], code: 1, message: /is not an adapter/ },
    {
      args: ['generate', '--model', tinyModel, '--adapter', otherAdapter, '--prompt', 'x'],
      code: 1,
      message: /adapters.one-layer does not fit this model: .* It was trained on gqa-tied/,
    },
    {
      args: ['evaluate', '--model', tinyModel, '--data', 'data.jsonl', '--max-seq-length', '2000'],
      code: 1,
      message: /--max-seq-length is 2000, but the model reads at most 1024 tokens/,
    },
    { args: ['generate', '--model', tinyModel, '--prompt', 'x', '--stop', ''], code: 2, message: /Expected some text/ },
    ...[['generate'], ['complete', 'text.txt'], ['evaluate']].map((command) => ({
      args: [...command, '--device', 'tpu'],
      code: 2,
      message: /'tpu' is invalid\. Allowed choices are auto, cpu, webgpu/,
    })),
    { args: ['train'], code: 2, message: /--config/ },
    { args: ['export', 'x', '--out', 'y'], code: 2, message: /--to/ },
    { args: ['generate', '--model', tinyModel], code: 2, message: /--prompt/ },
    {
      args: ['generate', '--model', 'x', '--prompt', 'x', '--temperature', 'hot'],
      code: 2,
      message: /Expected 0 to 10/,
    },
    { args: ['inspct', 'x'], code: 2, message: /Did you mean inspect/ },
  ])('$args', async ({ args, code, message }) => {
    const ended = await lora(args);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
    expect(ended.code).toBe(code);
  });

  it('takes what a model reads at most where no length is asked for, and refuses more', async () => {
    const model = shortModel(join(folder, 'short'), 128);
    for (const args of [
      ['evaluate', '--data', 'data.jsonl'],
      ['inspect', 'data.jsonl'],
    ]) {
      expect(await lora([...args, '--model', model])).toMatchObject({ code: 0 });
      const refused = await lora([...args, '--model', model, '--max-seq-length', '200']);
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('--max-seq-length is 200, but the model reads at most 128 tokens'),
      });
    }
    const train = ['train', '--config', 'run.json', '--dry-run', '--json', '--set', `model=${model}`];
    expect(await lora(train)).toMatchObject({ code: 1, stderr: expect.stringContaining('data.max_seq_length is 160') });
    writeFileSync(join(folder, 'default.json'), JSON.stringify({ model, data: { path: 'data.jsonl' } }));
    expect(await lora(['train', '--config', 'default.json', '--dry-run'])).toMatchObject({ code: 0 });
  });

  it.each([
    'train',
    'resume',
    'queue',
    'generate',
    'complete',
    'evaluate',
    'serve',
    'export',
    'convert',
    'inspect',
    'doctor',
    'demo',
  ])('%s --help shows examples', async (command) => {
    const { code, stdout } = await lora([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`  lora-workbench ${command}`);
  });
});

/** A copy of the tiny model that reads at most `contextLength` tokens. */
function shortModel(target: string, contextLength: number): string {
  cpSync(tinyModel, target, { recursive: true });
  const path = join(target, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...config, max_position_embeddings: contextLength }));
  return target;
}

describe('serve', () => {
  it('says where it is and how to get in, answers, and ends on Ctrl+C', async () => {
    const args = ['serve', '--model', tinyModel, '--adapter', `mine=${resolve('test/golden/training/tiny-llama-final')}`];
    const child = spawn(process.execPath, [program, ...args, '--port', '0', '--device', 'cpu', '--json'], { cwd: folder });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { url, apiKey, models } = JSON.parse(line.toString()) as { url: string; apiKey: string; models: string[] };
    expect(models).toEqual(['tiny-llama', 'mine']);
    expect(apiKey).toMatch(/^[\w-]{32}$/);
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${url}/v1/models`, { headers: { Authorization: `Bearer ${apiKey}` } })).status).toBe(200);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('refuses to be reached from elsewhere without a key', async () => {
    const { code, stderr } = await lora(['serve', '--model', tinyModel, '--host', '0.0.0.0', '--no-api-key']);
    expect(code).toBe(1);
    expect(stderr).toContain('0.0.0.0 can be reached from other machines, so the endpoint needs a key: --api-key.');
  });
});
