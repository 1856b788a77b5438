import { bytes } from './format.js';
import { LiveText, progressBar } from './liveText.js';
import type { Output } from './output.js';
import type { FetchReport } from '../files/fetch/smolLM2.js';

/** Shows the progress of a download. */
export async function fetchView<Result>(output: Output, fetch: (report: FetchReport) => Promise<Result>): Promise<Result> {
  const live = new LiveText(output);
  try {
    return await fetch({
      say(line) {
        live.end();
        output.say(`  ${line}`);
      },
      progress(done, total) {
        if (total === 0) return;
        const percent = Math.floor((100 * done) / total);
        live.show(`  ${progressBar(done, total)} ${percent} %  ${bytes(done)}`);
      },
    });
  } finally {
    live.end();
  }
}
