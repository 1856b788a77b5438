import type { BackendSettings } from '../protocol/backend.js';

/** What this process was started with. */
const given = { ...process.env };

/**
 * Puts what VS Code knows where the code that downloads looks for it, here and in the processes that are started from here. It
 * comes before the variables that the user has set.
 */
export function setEnvironment({ hubToken, proxy }: Pick<BackendSettings, 'hubToken' | 'proxy'>): void {
  set('HF_TOKEN', hubToken);
  set('https_proxy', proxy);
  set('http_proxy', proxy);
}

function set(name: string, value: string | null): void {
  const used = value ?? given[name];
  if (used === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = used;
}
