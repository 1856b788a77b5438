import type { RunDirectory } from '../../runs/runDirectory.js';
import { duration } from '../format.js';
import { LiveText, progressBar } from '../liveText.js';
import type { CommandContext } from '../runCommand.js';
import { withTextModel } from '../withTextModel.js';
import { examine, type Examined } from './examination.js';
import type { Question } from './question.js';

/** Examines the base model and the run's best adapter, and shows how far they are. */
export async function examineInView(
  { output, signal }: CommandContext,
  modelPath: string,
  run: RunDirectory,
  questions: readonly Question[],
): Promise<Examined[]> {
  const options = { model: modelPath, adapter: run.bestAdapterPath, device: 'auto' } as const;
  return withTextModel(output, options, async (model, tokenizer, adapter) => {
    const live = new LiveText(output);
    const start = performance.now();
    const total = 2 * questions.length;
    const show = (answered: number) => {
      const secondsLeft = ((performance.now() - start) / 1000 / answered) * (total - answered);
      const progress = `${answered}/${total} answers  ${duration(secondsLeft)} left`;
      live.show(`  ${progressBar(answered, total)} ${progress}`);
      if (!output.interactive && answered % reportedEvery === 0) output.say(`  ${progress}`);
    };
    try {
      return await examine({ model, tokenizer, adapter: adapter! }, questions, show, signal);
    } finally {
      live.end();
    }
  });
}

/** Answers between two lines where there is no terminal. */
const reportedEvery = 20;
