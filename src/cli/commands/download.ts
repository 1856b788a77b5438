import { downloadModel, parseModel, planModel, type ModelPlan } from '../../files/hub/downloadModel.js';
import { HubClient } from '../../files/hub/hubClient.js';
import { hubCacheFolder } from '../../files/hub/hubSettings.js';
import { recommendations, type Recommendation } from '../../runs/recommendations.js';
import { fetchView } from '../fetchView.js';
import { bytes, large, plural, table } from '../format.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import type { Output } from '../output.js';
import type { CommandContext } from '../runCommand.js';
import { downloadDataset } from './downloadData.js';

export interface DownloadOptions {
  readonly dataset?: string;
  readonly file?: string;
  readonly quantization?: string;
  readonly token?: string;
}

/** Downloads a model or a data set of the hub into the cache that all tools share; without a name, says which are good to begin with. */
export async function download(
  context: CommandContext,
  given: string | undefined,
  { token, dataset, ...options }: DownloadOptions,
): Promise<ExitCode> {
  const { output, signal } = context;
  if (dataset !== undefined) return downloadDataset(context, dataset, token);
  if (given === undefined) return recommend(output);
  const client = new HubClient({ token });
  const { repository, selection } = parseModel(given);
  const plan = await planModel(client, repository, { ...selection, ...options }, signal);
  showPlan(output, plan);
  const path = await fetchView(output, ({ progress }) => downloadModel(client, plan, progress, signal));
  output.say(`It is in ${path}. Fine-tune it, or ask it something:`);
  output.say(`  lora-workbench generate --model ${repository.name} --prompt "What is LoRA?"`);
  output.emit({ path });
  return exitCodes.done;
}

function showPlan(output: Output, { listing, files, totalBytes, missingBytes }: ModelPlan): void {
  const { repository, commit, licence } = listing;
  output.emit({ plan: { name: repository.name, commit, licence, files, totalBytes, missingBytes } });
  output.say(output.bold(`${repository.name}, revision ${repository.revision} (${commit.slice(0, 7)})`));
  output.say(
    table([
      ['Licence', licence ?? 'not stated: read its page before you use it'],
      ...files.map(({ path, sizeBytes }): [string, string] => [path, bytes(sizeBytes)]),
      ['To download', missingBytes === 0 ? 'nothing: it is there already' : progressInWords(missingBytes, totalBytes)],
      ['Into', hubCacheFolder()],
    ]),
  );
}

function progressInWords(missingBytes: number, totalBytes: number): string {
  return missingBytes === totalBytes ? bytes(totalBytes) : `${bytes(missingBytes)} of ${bytes(totalBytes)}; the rest is there`;
}

async function recommend(output: Output): Promise<ExitCode> {
  const models = await recommendations();
  output.emit({ models: models.map(({ config, ...model }) => ({ ...model, family: config.family })) });
  showGroup(output, models, 'chat', 'To answer questions and follow instructions:');
  showGroup(output, models, 'code', 'To complete code, also in the middle of a line:');
  const trainable = models.filter(({ isTrainable }) => isTrainable).length;
  output.say(
    `This machine can train ${plural(trainable, 'of them', 'of them')} now (✓), with the usual settings in the memory named.`,
  );
  output.say('Gated models need your consent on their page, and a token (HF_TOKEN). Any other model: download OWNER/NAME.');
  return exitCodes.done;
}

function showGroup(output: Output, models: readonly Recommendation[], purpose: Recommendation['purpose'], title: string): void {
  output.say(output.bold(title));
  output.say(table(models.filter((model) => model.purpose === purpose).map(row)));
  output.say();
}

function row({
  name,
  parameters,
  downloadBytes,
  trainingBytes,
  licence,
  isGated,
  isTrainable,
}: Recommendation): [string, string] {
  const facts = [`${large(parameters)} parameters`, `${bytes(downloadBytes)} to download`, `${bytes(trainingBytes)} to train`];
  return [`${isTrainable ? '✓' : ' '} ${name}`, [...facts, `${licence}${isGated ? ' (gated)' : ''}`].join(', ')];
}
