import { spawn } from 'node:child_process';
import { closeSync, createReadStream, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Unzip, UnzipInflate } from 'fflate';
import { t } from '../../l10n/text.js';

const pips: readonly (readonly [string, ...string[]])[] = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['py', '-m', 'pip'],
  ['pip3'],
];

/** Downloads a wheel (a zip) with pip, from wherever the user's pip is set up to look. Returns its path. */
export async function downloadWheel(requirement: string, folder: string, signal: AbortSignal): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const download = ['download', requirement, '--no-deps', '--only-binary', ':all:', '--retries', '1', '--dest', folder];
  for (const [program, ...args] of pips) {
    const outcome = await runPip(program, [...args, ...download, '--disable-pip-version-check'], signal);
    if (outcome === 'absent') continue;
    const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
    if (outcome !== 'done' || !wheel) throw new Error(t`pip could not download ${requirement}`);
    return join(folder, wheel);
  }
  throw new Error(t`pip is not installed`);
}

/** pip draws its own progress bar on a terminal; without one it stays silent. */
function runPip(program: string, args: readonly string[], signal: AbortSignal): Promise<'done' | 'failed' | 'absent'> {
  const quiet = process.stderr.isTTY ? [] : ['--quiet', '--quiet', '--quiet'];
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, ...quiet], {
      stdio: ['ignore', process.stderr.isTTY ? 2 : 'ignore', 'ignore'],
      signal,
      windowsHide: true,
    });
    child.on('error', (error) => (signal.aborted ? reject(error) : resolve('absent')));
    // Python without pip prints "No module named pip" and exits with 1, as does pip when it finds nothing; both are failures.
    child.on('close', (code) => resolve(code === 0 ? 'done' : 'failed'));
  });
}

/** Unpacks one file of a zip by streaming. Throws if the zip does not contain it or is broken. */
export async function unpackFromWheel(
  wheel: string,
  fileName: string,
  into: string,
  progress: (bytesWritten: number) => void,
): Promise<void> {
  const output = openSync(into, 'w');
  let written = 0;
  let finished = false;
  try {
    const unzip = new Unzip((entry) => {
      if (entry.name !== fileName) return;
      entry.ondata = (error, bytes, final) => {
        if (error) throw error;
        for (let offset = 0; offset < bytes.length;) offset += writeSync(output, bytes, offset);
        progress((written += bytes.length));
        finished = final;
      };
      entry.start();
    });
    unzip.register(UnzipInflate);
    for await (const chunk of createReadStream(wheel, { highWaterMark: 1 << 20 })) unzip.push(chunk as Buffer);
    unzip.push(new Uint8Array(0), true);
  } finally {
    closeSync(output);
  }
  if (!finished) throw new Error(t`${wheel} does not hold the whole of ${fileName}`);
}
