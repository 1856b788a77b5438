import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { EndpointInfo, EndpointParams } from '../protocol/backend.js';
import type { BackendClient, LiveBackend } from './backendClient.js';
import { setContext } from './contextKeys.js';
import { commandId } from './contributions.js';
import { setting } from './settings.js';

const keyName = 'endpoint.key';

/** What is served, apart from where. */
export type Served = Pick<EndpointParams, 'model' | 'adapters'>;

/** The endpoint for other tools, shown in the status bar while it is on. It ends with the window. */
export class Endpoint implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('endpoint', vscode.StatusBarAlignment.Right, 89);
  private readonly subscription: vscode.Disposable;
  private served: Served | undefined;
  private running: EndpointInfo | undefined;

  constructor(
    private readonly backend: BackendClient,
    private readonly secrets: vscode.SecretStorage,
  ) {
    this.item.name = vscode.l10n.t('LoRA Workbench: Endpoint');
    this.item.command = commandId('startEndpoint');
    backend.handle('loraWorkbench/endpoint/ended', ({ message }) => {
      this.hasEnded();
      void vscode.window.showWarningMessage(message);
    });
    this.subscription = backend.onDidStart((live) => void this.bringBack(live));
  }

  get isOn(): boolean {
    return this.running !== undefined;
  }

  async start(served: Served): Promise<void> {
    const live = await this.backend.ready();
    const title = vscode.l10n.t('Starting the endpoint');
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    await vscode.window.withProgress(options, async (_, token) => {
      await this.launch(live, served, token).catch((error: unknown) => {
        if (!token.isCancellationRequested) throw error;
      });
    });
    if (this.isOn) void this.show(); // not awaited, because the command ends here
  }

  async stop(): Promise<void> {
    this.hasEnded();
    await (await this.backend.ready()).request('loraWorkbench/endpoint/stop', null);
  }

  /** Shows where it is and offers what other tools need. */
  async show(): Promise<void> {
    if (!this.running) return;
    const address = `${this.running.url}/v1`;
    const [copyAddress, copyKey] = [vscode.l10n.t('Copy Address'), vscode.l10n.t('Copy API Key')];
    const stop = vscode.l10n.t('Stop');
    const text = vscode.l10n.t('Other tools reach these models at {0}: {1}.', address, this.running.models.join(', '));
    const choice = await vscode.window.showInformationMessage(text, copyAddress, copyKey, stop);
    if (choice === copyAddress) await vscode.env.clipboard.writeText(address);
    if (choice === copyKey) await vscode.env.clipboard.writeText(await this.key());
    if (choice === stop) await this.stop();
  }

  dispose(): void {
    this.subscription.dispose();
    this.item.dispose();
  }

  private async launch(live: LiveBackend, served: Served, token?: vscode.CancellationToken): Promise<void> {
    const params = { ...served, port: setting('endpoint.port'), apiKey: await this.key() };
    this.running = await live.request('loraWorkbench/endpoint/start', params, token);
    this.served = served;
    setContext({ endpointOn: true });
    const { host } = new URL(this.running.url);
    this.item.text = `$(broadcast) ${host}`;
    this.item.tooltip = vscode.l10n.t('Other tools reach these models here: {0}', this.running.models.join(', '));
    this.item.accessibilityInformation = { label: vscode.l10n.t('Endpoint for other tools at {0}', host) };
    this.item.show();
  }

  /** A backend that was restarted has taken the endpoint with it. */
  private async bringBack(live: LiveBackend): Promise<void> {
    if (!this.served) return;
    const { served } = this;
    this.hasEnded();
    await this.launch(live, served).catch((error: Error) => void vscode.window.showWarningMessage(error.message));
  }

  private hasEnded(): void {
    this.served = undefined;
    this.running = undefined;
    setContext({ endpointOn: false });
    this.item.hide();
  }

  /** Kept, so that other tools need it only once. */
  private async key(): Promise<string> {
    const known = await this.secrets.get(keyName);
    if (known !== undefined) return known;
    const key = randomBytes(24).toString('base64url');
    await this.secrets.store(keyName, key);
    return key;
  }
}
