import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { DeviceSetting } from '../../runtime/chooseDevice.js';
import { startEndpoint } from '../../serve/endpoint.js';
import type { ServedAdapter } from '../../serve/servedModels.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import type { CommandContext } from '../runCommand.js';

export interface ServeOptions {
  readonly model: string;
  readonly adapter?: readonly string[];
  readonly device: DeviceSetting;
  readonly threads?: number;
  readonly host: string;
  readonly port: number;
  /** False means that none is wanted. */
  readonly apiKey?: string | false;
  readonly cors?: readonly string[];
}

/** Serves until Ctrl+C. */
export async function serve({ output, signal }: CommandContext, options: ServeOptions): Promise<ExitCode> {
  const { model, adapter = [], device, threads = null, host, port, cors: corsOrigins = [] } = options;
  const apiKey = options.apiKey === false ? null : (options.apiKey ?? randomBytes(24).toString('base64url'));
  const adapters = adapter.map(namedAdapter);
  const endpoint = await startEndpoint({ model, adapters, engine: { device, threads }, host, port, apiKey, corsOrigins });
  output.say(`Address: ${endpoint.url}/v1`);
  output.say(apiKey === null ? 'No key is needed.' : `API key: ${apiKey}`);
  output.say(`Models:  ${endpoint.models.join(', ')}`);
  output.say('Ctrl+C ends it.');
  output.emit({ url: endpoint.url, apiKey, models: endpoint.models });
  if (!signal.aborted) await once(signal, 'abort');
  await endpoint.close();
  return exitCodes.done;
}

function namedAdapter(argument: string): ServedAdapter {
  const [, name, path] = /^([^=/\\]+)=(.+)$/s.exec(argument) ?? [];
  return name === undefined ? { path: argument } : { name, path: path! };
}
