import { exportModel } from '../../export/exportModel.js';
import { modelPath } from '../../files/cacheFolder.js';
import type { ExportDType, ExportParity, ExportRequest, ExportResult, ExportTarget } from '../../protocol/export.js';
import { adapterAt } from '../../runs/adapterAt.js';
import { writeExportedCard } from '../../runs/card/writeModelCard.js';
import { baseOf } from '../baseOf.js';
import { exportView } from '../exportView.js';
import { bytes, integer, table } from '../format.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import type { Output } from '../output.js';
import type { CommandContext } from '../runCommand.js';

export interface ExportOptions {
  readonly to: ExportTarget;
  readonly dtype?: ExportDType;
  readonly strength: number;
  readonly out: string;
  readonly model?: string;
}

export interface ConvertOptions {
  readonly to: 'merged' | 'gguf';
  readonly dtype?: ExportDType;
  readonly out: string;
}

/** `path` is a run directory, or the folder of an adapter. */
export async function exportAdapter(context: CommandContext, path: string, options: ExportOptions): Promise<ExitCode> {
  const adapter = adapterAt(path);
  const model = options.model ?? baseOf(adapter);
  const { to, dtype = null, strength, out } = options;
  return run(context, { model: modelPath(model), adapter, to, dtype, strength, out });
}

export async function convert(context: CommandContext, model: string, options: ConvertOptions): Promise<ExitCode> {
  const { to, dtype = null, out } = options;
  return run(context, { model: modelPath(model), adapter: null, to, dtype, strength: 1, out });
}

async function run({ output, signal }: CommandContext, request: ExportRequest): Promise<ExitCode> {
  const result = await exportView(output, (report) => exportModel(request, report, signal));
  writeExportedCard(request, result);
  output.emit(result);
  showResult(output, result);
  return exitCodes.done;
}

function showResult(output: Output, { out, sizeBytes, dtype, parity, uses }: ExportResult): void {
  const { relativeDifference, tolerance } = parity;
  if (relativeDifference > tolerance) output.warn(`this model loses much in ${dtype}. Choose a type with more bits.`);
  output.say(
    table([
      ['Written', `${out}, ${bytes(sizeBytes)} in ${dtype}`],
      ['Compared', parityInWords(parity)],
      ...uses.map(({ tool, command }): [string, string] => [tool, command]),
    ]),
  );
}

function parityInWords({ maxDifference, relativeDifference, sameFirst, positions }: ExportParity): string {
  const share = (value: number): string => `${Number((100 * value).toPrecision(2))} %`;
  const first = `the likeliest token is the same at ${integer(sameFirst)} of ${integer(positions)} places`;
  const largest = `${maxDifference.toPrecision(2)} at the most`;
  return `logits differ by ${share(relativeDifference)} (${largest}), as rounding makes them; ${first}`;
}
