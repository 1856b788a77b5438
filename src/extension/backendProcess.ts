import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

interface ProcessRecipe {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * On the desktop, process.execPath is Electron, which runs as Node only if ELECTRON_RUN_AS_NODE is set; on a server it is Node
 * and ignores the variable. If there is no bundle for the language, the backend uses English.
 */
export function backendRecipe(
  extensionPath: string,
  language: string,
  environment: NodeJS.ProcessEnv = process.env,
): ProcessRecipe {
  return {
    command: process.execPath,
    args: [join(extensionPath, 'dist', 'backend.js'), '--stdio'],
    env: {
      ...environment,
      ELECTRON_RUN_AS_NODE: '1',
      LORA_WORKBENCH_TRANSLATIONS: join(extensionPath, 'l10n', `bundle.l10n.${language}.json`),
    },
  };
}

export function startBackend(extensionPath: string, language: string): ChildProcess {
  const { command, args, env } = backendRecipe(extensionPath, language);
  return spawn(command, args, { env, stdio: 'pipe', windowsHide: true });
}
