// llama.cpp on the CPU, through node-llama-cpp, in a folder of its own under .cache: it is no dependency of the product.
//   node test/judge/llamaCpp.mjs MODEL.gguf ADAPTER.gguf REQUEST.json     use - as ADAPTER for the model alone
// REQUEST.json is {"ids": rows of token ids, "texts": texts, "newTokens": number}. Prints one line of JSON: {"logProbabilities": for
// each row and position, those of all tokens, or null where a probability is 0; "tokens": the ids of each text; "greedy": for each
// row, the likeliest ids that follow}.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const llamaCppVersion = '3.22.1';
const home = resolve('.cache/llama-cpp');
const entry = join(home, 'node_modules/node-llama-cpp/dist/index.js');
const binaries = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'win32-x64': 'win-x64',
};

export function installLlamaCpp() {
  if (existsSync(entry)) return;
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{"private":true}');
  const binary = `@node-llama-cpp/${binaries[`${process.platform}-${process.arch}`]}@${llamaCppVersion}`;
  execFileSync(
    'npm',
    [
      'install',
      '--ignore-scripts',
      '--omit=optional',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `node-llama-cpp@${llamaCppVersion}`,
      binary,
    ],
    { cwd: home, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' },
  );
}

export async function importLlamaCpp() {
  installLlamaCpp();
  return import(pathToFileURL(entry).href);
}

async function main([modelPath, adapterPath, requestPath]) {
  const { ids, texts, newTokens } = JSON.parse(readFileSync(requestPath, 'utf8'));
  const { getLlama } = await importLlamaCpp();
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 2, logLevel: 'error' });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({
    contextSize: 256,
    threads: 2,
    ...(adapterPath !== '-' && { lora: { adapters: [{ filePath: adapterPath }] } }),
    // Logits are compared to more digits than keys and values in 16 bits have, in which fast attention keeps them.
    flashAttention: false,
    experimentalKvCacheKeyType: 'F32',
    experimentalKvCacheValueType: 'F32',
  });
  const sequence = context.getSequence();
  const logProbabilities = [];
  const greedy = [];
  for (const row of ids) {
    await sequence.clearHistory();
    const asked = row.map((id) => [id, { generateNext: { probabilities: true, options: { temperature: 0 } } }]);
    const answers = await sequence.controlledEvaluate(asked);
    logProbabilities.push(answers.map(({ next }) => logarithms(next.probabilities)));
    await sequence.clearHistory();
    greedy.push(await following(sequence, row, newTokens));
  }
  const said = { logProbabilities, tokens: texts.map((text) => model.tokenize(text, false)), greedy };
  process.stdout.write(`${JSON.stringify(said)}\n`, () => process.exit(0));
}

function logarithms(probabilities) {
  return Array.from({ length: probabilities.size }, (_, id) => {
    const probability = probabilities.get(id);
    return probability > 0 ? Math.log(probability) : null;
  });
}

async function following(sequence, row, count) {
  const ids = [];
  for await (const id of sequence.evaluate(row, { temperature: 0, yieldEogToken: true })) {
    ids.push(id);
    if (ids.length === count) break;
  }
  return ids;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
