import { SingleBar } from 'cli-progress';
import type { ExportProgress } from '../protocol/export.js';
import type { Output } from './output.js';

const stages: Readonly<Record<ExportProgress['stage'], string>> = { writing: 'Writing  ', checking: 'Comparing' };

/** Shows the progress of an export. */
export async function exportView<Result>(
  output: Output,
  work: (report: (progress: ExportProgress) => void) => Promise<Result>,
): Promise<Result> {
  const bar = new SingleBar({
    format: '  {stage} {bar} {percentage} %',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
  });
  let shown: ExportProgress['stage'] | null = null;
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
