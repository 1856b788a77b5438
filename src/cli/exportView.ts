import type { WorkProgress } from '../protocol/backend.js';
import { LiveText, progressBar } from './liveText.js';
import type { Output } from './output.js';

const stages: Readonly<Record<WorkProgress['stage'], string>> = {
  preparing: 'Turning PiSSA into plain LoRA',
  writing: 'Writing  ',
  checking: 'Comparing',
  merging: 'Lowering the rank',
  analyzing: 'Analyzing',
  trainingControl: 'Training the control',
  completing: 'Completing',
};

/** Shows the progress of an export, a merge, an analysis or an evaluation. */
export async function exportView<Result>(
  output: Output,
  work: (report: (progress: Omit<WorkProgress, 'workId'>) => void) => Promise<Result>,
): Promise<Result> {
  const live = new LiveText(output);
  try {
    return await work(({ stage, done, total }) => {
      const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
      live.show(`  ${stages[stage]} ${progressBar(done, total)} ${percent} %`);
    });
  } finally {
    live.end();
  }
}
