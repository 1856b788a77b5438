import type { Adapter } from '../../core/adapters/peft.js';
import { greedy } from '../../core/generate/sampling.js';
import type { TextModel } from '../../core/generate/textModel.js';
import { writeText } from '../../core/generate/writeText.js';
import type { Tokenizer } from '../../core/tokenizer/tokenizer.js';
import { encodePrompt } from '../../runs/promptTemplate.js';
import { isRight, type Question } from './question.js';

export interface Answer {
  readonly text: string;
  readonly right: boolean;
}

export interface Examined extends Question {
  readonly base: Answer;
  readonly adapter: Answer;
}

export interface Examinee {
  readonly model: TextModel;
  readonly tokenizer: Tokenizer;
  readonly adapter: Adapter;
}

/** Asks the base and the adapter every question; both always take the likeliest token. Throws if the signal is aborted. */
export async function examine(
  { model, tokenizer, adapter }: Examinee,
  questions: readonly Question[],
  onAnswer: (answered: number) => void,
  signal: AbortSignal,
): Promise<Examined[]> {
  let answered = 0;
  const ask = async (question: Question, under: Adapter | null): Promise<Answer> => {
    const text = await answer(model, tokenizer, question, under, signal);
    signal.throwIfAborted();
    onAnswer(++answered);
    return { text, right: isRight(text, question) };
  };
  const answers = async (under: Adapter | null) => {
    const given: Answer[] = [];
    for (const question of questions) given.push(await ask(question, under));
    return given;
  };
  // One after the other: what both prompts begin with is then read only twice.
  const [base, adapted] = [await answers(null), await answers(adapter)];
  return questions.map((question, index) => ({ ...question, base: base[index]!, adapter: adapted[index]! }));
}

/** Enough for the longest right answer, with spaces. */
const maxNewTokens = 96;
/** What does not begin as JSON is wrong already; this much of it shows what it is like. */
const shownOfProse = 70;

async function answer(
  model: TextModel,
  tokenizer: Tokenizer,
  { sentence }: Question,
  adapter: Adapter | null,
  signal: AbortSignal,
): Promise<string> {
  const promptIds = encodePrompt(tokenizer, { text: sentence }, 'none');
  const asked = { promptIds, adapter, adapterStrength: 1, sampling: greedy, maxNewTokens, stop: [], reuse: 'all' } as const;
  const { text } = await writeText(model, tokenizer, { ...asked, endsAt: endOfProse }, () => undefined, signal);
  return text.trim();
}

function endOfProse(text: string): number | undefined {
  return text.length > shownOfProse && !text.trimStart().startsWith('{') ? text.length : undefined;
}
