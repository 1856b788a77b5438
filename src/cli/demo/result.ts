import { sideBySide, wrapText } from '../columns.js';
import { table } from '../format.js';
import type { Output } from '../output.js';
import type { Answer, Examined } from './examination.js';

export interface Result {
  readonly heldOutLoss: { readonly base: number; readonly adapter: number };
  readonly right: { readonly base: number; readonly adapter: number };
  readonly answers: readonly Examined[];
}

export function resultOf(answers: readonly Examined[], heldOutLoss: Result['heldOutLoss']): Result {
  const count = (side: 'base' | 'adapter') => answers.filter((question) => question[side].right).length;
  return { heldOutLoss, right: { base: count('base'), adapter: count('adapter') }, answers };
}

/** Shows the figures and three examples. */
export function showResult(output: Output, { heldOutLoss, right, answers }: Result): void {
  const share = (count: number) => `${count} of ${answers.length} (${Math.round((100 * count) / answers.length)} %)`;
  output.say(
    table([
      ['Right answers', `base ${share(right.base)}, adapter ${share(right.adapter)}`],
      ['Held-out loss', `base ${heldOutLoss.base.toFixed(3)}, adapter ${heldOutLoss.adapter.toFixed(3)}`],
    ]),
  );
  output.say(output.faint('  The loss is the mean of −log p over the tokens of the expected answers; lower is better.'));
  for (const example of telling(answers)) showAnswers(output, example);
}

/** Three examples; if the adapter has made a mistake, the last is one. */
function telling(answers: readonly Examined[]): Examined[] {
  const right = answers.filter(({ adapter }) => adapter.right);
  const wrong = answers.filter(({ adapter }) => !adapter.right);
  return [...right.slice(0, wrong.length > 0 ? 2 : 3), ...wrong].slice(0, 3);
}

function showAnswers(output: Output, { sentence, settings, base, adapter }: Examined): void {
  const column = (name: string, { text, right }: Answer) => ({ title: `${right ? '✓' : '✗'} ${name}`, text });
  output.say();
  wrapText(sentence, output.chartWidth).forEach((line) => output.say(output.bold(line)));
  output.say(sideBySide(column('base model', base), column('with the adapter', adapter), output.chartWidth));
  if (!adapter.right) output.say(`Expected: ${settings}`);
}
