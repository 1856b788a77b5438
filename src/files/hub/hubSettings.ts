/**
 * @file The settings that all tools of the hub share, so that one login and one cache serve all of them
 * (https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables).
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The hub's address, or that of the mirror named by HF_ENDPOINT; without a slash at the end. */
export function hubEndpoint(): string {
  return (variable('HF_ENDPOINT') ?? 'https://huggingface.co').replace(/\/+$/, '');
}

/** The folder in which models--OWNER--NAME and its like are kept. */
export function hubCacheFolder(): string {
  return folderIn('HF_HUB_CACHE') ?? folderIn('HUGGINGFACE_HUB_CACHE') ?? join(hubHome(), 'hub');
}

/** The token of the environment, or else of the last login; undefined for users who are not logged in. */
export function hubToken(): string | undefined {
  return variable('HF_TOKEN')?.trim() || tokenOfLogin();
}

/** Whether the user has forbidden any connection to the hub. */
export function isHubForbidden(): boolean {
  return /^(1|on|yes|true)$/i.test(variable('HF_HUB_OFFLINE') ?? '');
}

function tokenOfLogin(): string | undefined {
  try {
    return readFileSync(folderIn('HF_TOKEN_PATH') ?? join(hubHome(), 'token'), 'utf8').trim() || undefined;
  } catch {
    return undefined; // nobody has logged in, or not this user
  }
}

function hubHome(): string {
  return folderIn('HF_HOME') ?? join(folderIn('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
}

function folderIn(name: string): string | undefined {
  return variable(name)?.replace(/^~(?=$|[\\/])/, homedir());
}

/** An empty variable counts as absent. */
function variable(name: string): string | undefined {
  return process.env[name] || undefined;
}
