import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancellationToken, createProtocolConnection, type ProtocolConnection } from 'vscode-languageserver/node';
import {
  protocolVersion,
  type BackendNotifications,
  type BackendOptions,
  type BackendSettings,
  type BackendRequests,
  type NotificationMethod,
  type RequestMethod,
} from '../../../src/protocol/backend.js';

/** The backend as shipped, addressed as the extension does. */
export class BackendUnderTest {
  readonly folder = mkdtempSync(join(tmpdir(), 'lora-workbench-backend-'));
  private readonly child: ChildProcess;
  readonly connection: ProtocolConnection;
  /** The backend's stderr, which the extension shows as its log. */
  log = '';

  constructor(environment: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, ['dist/backend.js', '--stdio'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Models of the machine that runs the tests, in other programs' stores, are not the tests'.
      env: { ...process.env, HOME: this.folder, LORA_WORKBENCH_CACHE: join(this.folder, 'cache'), ...environment },
    });
    this.child.stderr!.on('data', (data: Buffer) => {
      this.log += data.toString();
      process.stderr.write(data);
    });
    this.connection = createProtocolConnection(this.child.stdout!, this.child.stdin!);
    this.connection.listen();
  }

  get settings(): BackendSettings {
    return {
      runsFolders: [join(this.folder, 'runs')],
      modelFolders: [{ path: 'test/fixtures/models/tiny-llama', source: 'workspace' }],
      device: 'auto',
      threads: 1,
      hubToken: null,
      proxy: null,
    };
  }

  async initialize(options: Partial<BackendOptions> = {}): Promise<void> {
    const initializationOptions: BackendOptions = { protocolVersion, ...this.settings, ...options };
    this.connection.onRequest('client/registerCapability', () => null);
    this.connection.onRequest('workspace/codeLens/refresh', () => null);
    await this.connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: {},
      initializationOptions,
    });
    await this.connection.sendNotification('initialized', {});
  }

  request<Method extends RequestMethod>(
    method: Method,
    params: BackendRequests[Method]['params'],
    token: CancellationToken = CancellationToken.None,
  ): Promise<BackendRequests[Method]['result']> {
    return this.connection.sendRequest(method, params, token);
  }

  /** Its child processes, on Linux. */
  children(): number[] {
    const { pid } = this.child;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  }

  on<Method extends NotificationMethod>(method: Method, handler: (params: BackendNotifications[Method]) => void): void {
    this.connection.onNotification(method, handler);
  }

  /** `null` while it is running. */
  get exitCode(): number | null {
    return this.child.exitCode;
  }

  /** Disconnects as a client does that is killed. */
  hangUp(): void {
    this.child.stdin!.destroy();
    this.child.stdout!.destroy();
    this.child.stderr!.destroy();
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  stop(): void {
    this.connection.dispose();
    this.child.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export async function until<Result>(
  what: string,
  condition: () => Result | undefined | false,
  timeoutMs = 40_000,
): Promise<Result> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const result = condition();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}.`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
