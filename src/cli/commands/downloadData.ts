import { UserError } from '../../core/errors.js';
import { downloadData } from '../../files/hubData/fetchData.js';
import { hubDataReference } from '../../files/hubData/reference.js';
import { fetchView } from '../fetchView.js';
import { bytes, plural } from '../format.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import type { CommandContext } from '../runCommand.js';

export async function downloadDataset(
  { output, signal }: CommandContext,
  text: string,
  token: string | undefined,
): Promise<ExitCode> {
  const reference = hubDataReference(text);
  if (!reference) {
    const expected = 'Expected OWNER/NAME, such as HuggingFaceH4/no_robots, OWNER/NAME@REVISION, or OWNER/NAME:CONFIG/SPLIT.';
    throw new UserError('config-invalid', `${text} names no data set of the hub, or a path here is called so. ${expected}`);
  }
  const files = await fetchView(output, ({ say, progress }) =>
    downloadData(reference, { note: say, onProgress: progress, signal, token }),
  );
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  output.emit({ dataset: text, files });
  output.say(`${text} is on this machine: ${plural(files.length, 'file')}, ${bytes(sizeBytes)}.`);
  output.say(`Use it as data.path in run.json: "path": "${text}"`);
  return exitCodes.done;
}
