import { spawnSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { writeCodeModel } from '../../unit/codeModel.js';
import type { TestBed } from './workspace.js';

/** After this line, the adapter of `trainAdapter` has learned to write adapterAnswer; the base model writes baseAnswer. */
export const signature = 'def add(left: int, right: int) -> int:';
export const baseAnswer = 'return left + right';
export const adapterAnswer = 'answer = left * right';

/** Trains an adapter that contradicts the tiny LLaMA, into runs/contrary of the test bed's workspace; takes a few seconds. */
export function trainAdapter(bed: TestBed): string {
  return trainAnswer(bed, 'contrary', adapterAnswer);
}

/** Trains an adapter that writes this answer after the signature, into the run of this name. */
export function trainAnswer(bed: TestBed, name: string, answer: string): string {
  const lora = { r: 8, alpha: 32, target_modules: ['q_proj', 'v_proj', 'o_proj', 'down_proj'] };
  return trainOn(bed, name, [`${signature}\n    ${answer}\n`], lora, 40);
}

/** Trains an adapter of a tiny model that reads the parts of several files, into runs/reader of the test bed's workspace. */
export function trainReader(bed: TestBed): string {
  const names = ['fim_prefix', 'fim_suffix', 'fim_middle', 'repo_name', 'file_sep'];
  writeCodeModel(
    bed.path('models/tiny-code'),
    names.map((name) => `<|${name}|>`),
  );
  const lora = { r: 4, alpha: 8, target_modules: ['q_proj'] };
  return trainOn(bed, 'reader', [`${signature}\n    ${baseAnswer}\n`], lora, 2, { model: 'tiny-code' });
}

/** Copies the run of `trainAdapter`, under this name. */
export function copyRun(bed: TestBed, name: string, tags: readonly string[] = []): void {
  cpSync(bed.path('runs/contrary'), bed.path('runs', name), { recursive: true });
  bed.write(`runs/${name}/labels.json`, JSON.stringify({ name, tags, note: '' }));
}

/** What the adapter of `trainPairsAdapter` has learned: lines with every kind of bracket and quote. */
export const pairLines = [
  'def total(items: list[int]) -> int:',
  'names = ["ada", "bob"]',
  'ages = {"ada": left}',
  'title = "a short one" + end',
  "mark = 'x' + end",
  'both = add(left, right) * 2',
] as const;

/** Trains an adapter on pairLines, into runs/pairs of the test bed's workspace; takes a few seconds. */
export function trainPairsAdapter(bed: TestBed): string {
  const target_modules = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
  return trainOn(
    bed,
    'pairs',
    pairLines.map((line) => `${line}\n`),
    { r: 16, alpha: 32, target_modules },
    150,
  );
}

/** Trains an adapter of another seed each on the same sums, some of them held out, into runs of these names. */
export function trainSiblings(bed: TestBed, names: readonly string[]): void {
  const texts = Array.from({ length: 16 }, (_, i) => `def add_${i}(left, right):\n    return left + ${i} * right\n`);
  const lora = { r: 8, alpha: 16, target_modules: ['q_proj', 'v_proj', 'down_proj'] };
  for (const [seed, name] of names.entries()) trainOn(bed, name, texts, lora, 20, { seed, heldOut: 0.25 });
}

/** A text that `trainByHeart` makes an adapter know by heart. */
const learnedByHeart = `def open_vault(left, right):
    if left == 7:
        return right
    return left * 3

names = ["ada", "bob"]
ages = {"ada": left}
title = "a short one" + end

class Shelf:
    def __init__(self, items):
        self.items = items
        self.total = 7

    def add(self, item, price):
        self.items.append(item)
        return price + self.total
`;

/** Trains an adapter for too long on one text of some hundred tokens, into runs/by-heart of the test bed's workspace. */
export function trainByHeart(bed: TestBed): void {
  const target_modules = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
  trainOn(bed, 'by-heart', [learnedByHeart], { r: 16, alpha: 32, target_modules }, 80, { length: 256 });
}

function trainOn(
  bed: TestBed,
  name: string,
  texts: readonly string[],
  lora: object,
  steps: number,
  { seed = 1337, heldOut = 0, length = 64, model = 'tiny-llama' } = {},
): string {
  const path = bed.write(`${name}.jsonl`, texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  return trainRun(bed, name, {
    model: bed.path('models', model),
    data: { path, format: 'text', eval_fraction: heldOut, max_seq_length: length },
    lora: { dropout: 0, ...lora },
    train: { max_steps: steps, batch_size: texts.length, learning_rate: 1e-2, warmup_steps: 0, seed },
  });
}

/** Trains on the command line, into the run of this name; returns the folder of the adapter. */
export function trainRun(bed: TestBed, name: string, config: object): string {
  const path = join(bed.root, `${name}.json`);
  writeFileSync(path, JSON.stringify(config));
  const run = bed.path('runs', name);
  const args = ['dist/cli.js', 'train', '--config', path, '--out', run];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`No adapter could be trained: ${stderr}`);
  return join(run, 'adapter');
}

/** The greyed text at the cursor of an editor. */
export async function ghostText(editor: Locator): Promise<string> {
  const texts = await editor.locator('.ghost-text-decoration, .suggest-preview-text').allTextContents();
  return texts.join('').replaceAll('\u00a0', ' ');
}
