import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { UserError } from '../core/errors.js';
import { modelPath } from '../files/cacheFolder.js';
import { TextModels, type EngineChoice } from '../inference/textModels.js';
import { t } from '../l10n/text.js';
import { checkHost, checkKey, corsHeaders, isLoopback, type AccessOptions } from './access.js';
import { Exchange } from './exchange.js';
import { httpErrorOf } from './httpError.js';
import { usualLimits, type Limits } from './limits.js';
import { RequestLimit } from './requestLimit.js';
import { findRoute } from './routes.js';
import { Service } from './service.js';
import { ServedModels, type ServedAdapter } from './servedModels.js';

export interface EndpointOptions extends AccessOptions {
  /** Path or name. */
  readonly model: string;
  readonly adapters: readonly ServedAdapter[];
  readonly engine: EngineChoice;
  /** 0 takes any port that is free. */
  readonly port: number;
  readonly limits?: Partial<Limits>;
}

export interface Endpoint {
  /** For example "http://127.0.0.1:8012". */
  readonly url: string;
  /** The names of the base and the adapters. */
  readonly models: readonly string[];
  /** Disconnects the clients. */
  close(): Promise<void>;
}

/** Loads the model and then listens. Throws UserError if an adapter does not fit or the address cannot be taken. */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  checkExposure(options);
  const limits = { ...usualLimits, ...options.limits };
  const path = modelPath(options.model);
  const models = new TextModels(options.engine);
  const service = new Service(new ServedModels(basename(path, '.gguf'), options.adapters), models, path);
  try {
    const served = service.served.all();
    for (const each of served) await service.lend(each, () => Promise.resolve());
    const server = createServer(timeouts(limits), requestHandler(service, options, limits));
    server.maxConnections = limits.maxConnections;
    await listen(server, options);
    return {
      url: urlOf(options.host, server),
      models: served.map(({ name }) => name),
      async close() {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        await closed;
        await models.close();
      },
    };
  } catch (error) {
    await models.close();
    throw error;
  }
}

/** Whoever can reach the address could use the machine. */
function checkExposure({ host, apiKey }: AccessOptions): void {
  if (apiKey !== null || isLoopback(host)) return;
  throw new UserError('config-invalid', t`${host} can be reached from other machines, so the endpoint needs a key: --api-key.`);
}

/** Slow senders are cut off by Node.js. */
function timeouts({ headersMs, requestMs }: Limits) {
  const checkMs = Math.min(5000, headersMs / 2);
  return { headersTimeout: headersMs, requestTimeout: requestMs, connectionsCheckingInterval: checkMs, keepAliveTimeout: 5000 };
}

function requestHandler(service: Service, access: AccessOptions, limits: Limits) {
  const writing = new RequestLimit(limits.maxRequests);
  return (request: IncomingMessage, response: ServerResponse): void => {
    const exchange = new Exchange(request, response, limits);
    const respond = async () => {
      checkHost(request, access);
      const cors = corsHeaders(request, access);
      Object.entries(cors).forEach(([name, value]) => response.setHeader(name, value));
      if (request.method === 'OPTIONS' && Object.keys(cors).length > 0) return exchange.noContent();
      const { route, rest } = findRoute(request.method ?? '', pathOf(request));
      if (route.kind !== 'public') checkKey(request, access);
      const handle = async () => route.handle(exchange, service, rest);
      await (route.kind === 'writing' ? writing.within(handle) : handle());
    };
    respond().catch((error: unknown) => {
      // What fails because the client has gone is told to nobody.
      if (!exchange.signal.aborted) exchange.fail(httpErrorOf(error));
    });
  };
}

function pathOf({ url = '/' }: IncomingMessage): string {
  try {
    return decodeURIComponent(url.split('?', 1)[0]!);
  } catch {
    return url;
  }
}

async function listen(server: Server, { host, port }: EndpointOptions): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  } catch (error) {
    throw new UserError('config-invalid', cannotListen(error as NodeJS.ErrnoException, host, port), { cause: error });
  }
}

function cannotListen({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE')
    return t`Port ${port} of ${host} is in use. Choose another: --port, or the setting loraWorkbench.endpoint.port.`;
  return t`The endpoint cannot listen on ${host}, port ${port}: ${message}.`;
}

function urlOf(host: string, server: Server): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
