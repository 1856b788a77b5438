import { SingleBar } from 'cli-progress';
import type { Output } from './output.js';
import { bytes } from './format.js';
import type { FetchReport } from '../files/fetch/smolLM2.js';

/** Shows the progress of a download. */
export async function fetchView<Result>(output: Output, fetch: (report: FetchReport) => Promise<Result>): Promise<Result> {
  let bar: SingleBar | undefined;
  const endBar = () => {
    bar?.stop();
    bar = undefined;
  };
  try {
    return await fetch({
      say(line) {
        endBar();
        output.say(`  ${line}`);
      },
      progress(done, total) {
        if (!output.interactive || total === 0) return;
        if (!bar) {
          bar = new SingleBar({
            format: '  {bar} {percentage} %  {size}',
            barCompleteChar: '█',
            barIncompleteChar: '░',
            barsize: 24,
            hideCursor: true,
          });
          bar.start(total, 0, { size: '' });
        }
        bar.update(done, { size: bytes(done) });
      },
    });
  } finally {
    endBar();
  }
}
