import { mkdtempSync, rmSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import OpenAI from 'openai';
import { startEndpoint, type Endpoint, type EndpointOptions } from '../../../src/serve/endpoint.js';
import { writeCodeModel } from '../codeModel.js';

export const key = 'a key of the tests';
export const adapterFolder = resolve('test/golden/training/tiny-llama-final');

const markers = ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>', '<|file_sep|>', '<|repo_name|>', '<|endoftext|>'];

/** A tiny model that fills in the middle, served on a free port. */
export class Served {
  private constructor(
    private readonly folder: string,
    readonly model: string,
    readonly endpoint: Endpoint,
  ) {}

  static async start(options: Partial<EndpointOptions> = {}): Promise<Served> {
    const folder = mkdtempSync(join(tmpdir(), 'lora-workbench-serve-'));
    const model = join(folder, 'tiny-coder');
    writeCodeModel(model, markers);
    const adapters = [{ path: adapterFolder, name: 'trained' }];
    const engine = { device: 'cpu', threads: 1 } as const;
    const usual = { model, adapters, engine, host: '127.0.0.1', port: 0, apiKey: key, corsOrigins: [] };
    return new Served(folder, model, await startEndpoint({ ...usual, ...options }));
  }

  get client(): OpenAI {
    return new OpenAI({ baseURL: `${this.endpoint.url}/v1`, apiKey: key, maxRetries: 0 });
  }

  post(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    return fetch(`${this.endpoint.url}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...(signal ? { signal } : {}),
    });
  }

  /** For headers that fetch does not let a program set. */
  raw(path: string, headers: Record<string, string>, method = 'GET'): Promise<{ status: number; headers: IncomingHttpHeaders }> {
    return new Promise((done, fail) => {
      request(`${this.endpoint.url}${path}`, { method, headers, agent: false }, (response) => {
        response.resume();
        response.on('end', () => done({ status: response.statusCode!, headers: response.headers }));
      })
        .on('error', fail)
        .end();
    });
  }

  async stop(): Promise<void> {
    await this.endpoint.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** Long enough to be interrupted. */
export const longQuestion = {
  messages: [{ role: 'user' as const, content: 'What is the loss?' }],
  max_tokens: 700,
  temperature: 1,
  repetition_penalty: 0.5,
  seed: 1,
};
