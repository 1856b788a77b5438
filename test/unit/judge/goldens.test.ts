import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const judge = process.env.LORA_WORKBENCH_JUDGE;
const script = fileURLToPath(new URL('../../judge/compare_goldens.py', import.meta.url));

test.skipIf(!judge)(
  'goldens made afresh by PyTorch, transformers and PEFT are the committed ones',
  { timeout: 600_000 },
  () => {
    const { status, stdout, stderr } = spawnSync(judge!, [script], { encoding: 'utf8' });
    expect(status, `${stdout}\n${stderr}`).toBe(0);
  },
);
