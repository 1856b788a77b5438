import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Locator } from 'playwright-core';
import { CodeServer, installExtension, type ServerOptions } from './codeServer.js';
import { Window, type WindowOptions } from './window.js';

export const vsix = resolve('build/vsix/lora-workbench-linux-x64.vsix');

export interface TestBedOptions extends Omit<ServerOptions, 'folder'>, WindowOptions {
  /** Adds files to the workspace before VS Code opens it. */
  readonly prepare?: (bed: TestBed) => void;
}

/** VS Code with the packaged extension on a workspace of its own: a tiny LLaMA, data and a source file. */
export class TestBed {
  readonly root = mkdtempSync(join(tmpdir(), 'lora-workbench-e2e-'));
  readonly workspace = join(this.root, 'workspace');
  private server: CodeServer | undefined;
  private window_: Window | undefined;

  static async start({ prepare, developedExtension, language, ...options }: TestBedOptions = {}): Promise<TestBed> {
    const bed = new TestBed();
    bed.fillWorkspace();
    prepare?.(bed);
    installExtension(bed.root, vsix);
    bed.server = await CodeServer.start({
      ...options,
      folder: bed.root,
      // Models of the machine that runs the tests, in other programs' stores, are not the tests'.
      environment: { HOME: bed.root, LORA_WORKBENCH_CACHE: join(bed.root, 'cache'), ...options.environment },
    });
    bed.window_ = await Window.open(bed.server.url, bed.workspace, join(bed.root, 'browser'), { developedExtension, language });
    return bed;
  }

  get window(): Window {
    if (!this.window_) throw new Error('The test bed is not started.');
    return this.window_;
  }

  /** Changes a setting as a user would; waits until settings.json contains it. */
  async changeSetting(id: string, value: number): Promise<void> {
    const settings = () => readFileSync(join(this.root, 'user-data/User/settings.json'), 'utf8');
    const before = settings();
    await this.window.typeSetting(id, value);
    await until(`settings.json changes with ${id}`, () => settings() !== before);
  }

  path(...parts: string[]): string {
    return join(this.workspace, ...parts);
  }

  write(name: string, content: string): string {
    const path = this.path(name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** The process id of this VS Code's backend, if it is running. */
  backendPid(): number | undefined {
    return this.processes(([program]) => program!.endsWith('backend.js'))[0];
  }

  /** The processes of the installed extension whose program and arguments fit. */
  private processes(fits: (words: readonly string[]) => boolean): number[] {
    const extensions = join(this.root, 'extensions');
    const isWanted = (pid: string) => {
      try {
        const [, ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return (words[0] ?? '').startsWith(extensions) && fits(words);
      } catch {
        return false;
      }
    };
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && isWanted(entry))
      .map(Number);
  }

  /** Run directories, newest last. */
  runs(): string[] {
    const folder = this.path('runs');
    if (!existsSync(folder)) return [];
    const folders = readdirSync(folder, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && !entry.name.startsWith('.'),
    );
    return folders.map((entry) => join(folder, entry.name)).sort();
  }

  async stop(): Promise<void> {
    await this.window_?.close().catch(() => undefined);
    this.server?.stop();
    // Trainers and what keeps the queue outlive VS Code.
    this.processes((words) => words.includes('queue')).forEach(end);
    for (const run of this.runs()) endTrainer(run);
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }

  private fillWorkspace(): void {
    cpSync('test/fixtures/models/tiny-llama', this.path('models/tiny-llama'), { recursive: true });
    this.write('answers.jsonl', alpacaLines(40));
    this.write('program.py', 'def add(a, b):\n    return a + b\n\n\n');
  }
}

export function alpacaLines(count: number): string {
  const examples = Array.from({ length: count }, (_, i) => ({
    instruction: `What is ${i} plus ${i + 1}?`,
    input: '',
    output: `The sum of ${i} and ${i + 1} is ${2 * i + 1}.`,
  }));
  return examples.map((example) => `${JSON.stringify(example)}\n`).join('');
}

export function readState(run: string): {
  status: string;
  step: number;
  totalSteps: number;
  pid: number | null;
  message: string | null;
} {
  return JSON.parse(readFileSync(join(run, 'state.json'), 'utf8'));
}

export function readMetrics(run: string): { step: number; loss?: number; eval_loss?: number }[] {
  const text = readFileSync(join(run, 'metrics.jsonl'), 'utf8');
  return text.split('\n').flatMap((line) => (line ? [JSON.parse(line)] : []));
}

/** Polls until the condition returns something. */
export async function until<Result>(
  what: string,
  condition: () => Result | Promise<Result>,
  timeoutMs = 60_000,
): Promise<Exclude<NonNullable<Result>, false>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const result = await condition();
    if (result) return result as Exclude<NonNullable<Result>, false>;
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs / 1000} s in vain: ${what}.`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Waits until a view or an editor shows a text; editors write spaces in their own way. */
export async function says(locator: Locator, text: string | RegExp): Promise<void> {
  const said = async () => ((await locator.first().textContent()) ?? '').replaceAll('\u00a0', ' ');
  const fits = async () => (typeof text === 'string' ? (await said()).includes(text) : text.test(await said()));
  await until(`the text ${String(text)}`, fits).catch(async (error: unknown) => {
    throw new Error(`${String(error)} There is: ${await said()}`);
  });
}

function endTrainer(run: string): void {
  try {
    const { pid } = readState(run);
    if (pid !== null) end(pid);
  } catch {
    // It has no state.
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already over.
  }
}
