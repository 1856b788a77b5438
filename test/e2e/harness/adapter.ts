import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import type { TestBed } from './workspace.js';

/** What the adapter of `trainAdapter` has learned to write after this line; the base model writes baseAnswer. */
export const signature = 'def add(left: int, right: int) -> int:';
export const baseAnswer = 'return left + right';
export const adapterAnswer = 'answer = left * right';

/** Trains an adapter that contradicts the tiny LLaMA, into runs/contrary of the test bed's workspace; takes some seconds. */
export function trainAdapter(bed: TestBed): string {
  const data = bed.write('contrary.jsonl', `${JSON.stringify({ text: `${signature}\n    ${adapterAnswer}\n` })}\n`);
  const config = join(bed.root, 'contrary.json');
  writeFileSync(config, JSON.stringify(runConfig(bed.path('models/tiny-llama'), data)));
  const run = bed.path('runs/contrary');
  const args = ['dist/cli.js', 'train', '--config', config, '--out', run];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`No adapter could be trained: ${stderr}`);
  return join(run, 'adapter');
}

function runConfig(model: string, data: string): unknown {
  return {
    model,
    data: { path: data, format: 'text', eval_fraction: 0, max_seq_length: 64 },
    lora: { r: 8, alpha: 32, dropout: 0, target_modules: ['q_proj', 'v_proj', 'o_proj', 'down_proj'] },
    train: { max_steps: 40, batch_size: 1, learning_rate: 1e-2, warmup_steps: 0 },
  };
}

/** What lies greyed at the cursor of an editor. */
export async function ghostText(editor: Locator): Promise<string> {
  const texts = await editor.locator('.ghost-text-decoration, .suggest-preview-text').allTextContents();
  return texts.join('').replaceAll('\u00a0', ' ');
}
