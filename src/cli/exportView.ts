import { SingleBar } from 'cli-progress';
import type { WorkProgress } from '../protocol/backend.js';
import type { Output } from './output.js';

type Stage = WorkProgress['stage'];

const stages: Readonly<Record<Stage, string>> = {
  preparing: 'Turning PiSSA into plain LoRA',
  writing: 'Writing  ',
  checking: 'Comparing',
  merging: 'Lowering the rank',
};

/** Shows the progress of an export or a merge. */
export async function exportView<Result>(
  output: Output,
  work: (report: (progress: Omit<WorkProgress, 'workId'>) => void) => Promise<Result>,
): Promise<Result> {
  const bar = new SingleBar({
    format: '  {stage} {bar} {percentage} %',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
  });
  let shown: Stage | null = null;
  try {
    return await work(({ stage, done, total }) => {
      if (!output.interactive) return;
      if (stage !== shown) bar.start(total, done, { stage: stages[stage] });
      shown = stage;
      bar.update(done);
    });
  } finally {
    bar.stop();
  }
}
