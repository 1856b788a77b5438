import { copyFileSync, mkdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fetchSmolLM2 } from '../src/files/fetch/smolLM2.js';
import { TestBed } from '../test/e2e/harness/workspace.js';

/** Starts VS Code on a workspace that contains SmolLM2-135M-Instruct; returns both the test bed and the model's path. */
export async function startWithSmolLM2(prepare: (bed: TestBed) => void = () => undefined): Promise<[TestBed, string]> {
  const report = { say: (line: string) => console.log(line), progress: () => undefined };
  const fetched = await fetchSmolLM2(report, new AbortController().signal);
  if (!fetched) throw new Error('SmolLM2-135M-Instruct cannot be had here.');
  let model = '';
  const bed = new TestBed();
  await bed.start({
    prepare(files) {
      mkdirSync(files.path('models'), { recursive: true });
      model = files.path('models', basename(fetched));
      copyFileSync(fetched, model);
      prepare(files);
    },
  });
  return [bed, model];
}
