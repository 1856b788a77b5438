import type * as vscode from 'vscode';

const key = 'loraWorkbench.hubToken';

/** The user's token of the model hub, which the system keeps among its secrets. */
export class HubToken {
  constructor(private readonly secrets: vscode.SecretStorage) {}

  /** Null if the user has entered none here; the backend may find one in the environment. */
  async get(): Promise<string | null> {
    return (await this.secrets.get(key)) ?? null;
  }

  async keep(token: string): Promise<void> {
    await this.secrets.store(key, token);
  }
}
