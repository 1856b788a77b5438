import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface TokenizerJson {
  readonly model: { vocab: Record<string, number>; merges: (string | [string, string])[] };
  readonly added_tokens: { id: number; content: string; special: boolean }[];
}

/** A copy of the tiny model whose last tokens are replaced by these; it has not learned what they mean. */
export function writeCodeModel(folder: string, tokens: readonly string[]): void {
  cpSync('test/fixtures/models/tiny-llama', folder, { recursive: true });
  const path = join(folder, 'tokenizer.json');
  const tokenizer = JSON.parse(readFileSync(path, 'utf8')) as TokenizerJson;
  const { model, added_tokens: added } = tokenizer;
  const given = Object.entries(model.vocab)
    .sort(([, one], [, other]) => one - other)
    .slice(-tokens.length);
  const gone = new Set(given.map(([token]) => token));
  model.vocab = Object.fromEntries(Object.entries(model.vocab).filter(([token]) => !gone.has(token)));
  model.merges = model.merges.filter((merge) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    return ![...pair, pair.join('')].some((token) => gone.has(token));
  });
  given.forEach(([, id], index) => added.push({ id, content: tokens[index]!, special: false }));
  writeFileSync(path, JSON.stringify(tokenizer));
}
