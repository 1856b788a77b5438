import { modelPath } from '../../files/cacheFolder.js';
import { fetchSmolLM2, smolLM2, type FetchReport } from '../../files/fetch/smolLM2.js';

export interface DemoModel {
  /** In the form that `--model` accepts. */
  readonly name: string;
  readonly path: string;
  /** What the model is, for display. */
  readonly description: string;
  /** False for the tiny model, which can only show that the machinery works. */
  readonly pretrained: boolean;
}

/** Returns SmolLM2 if it is available, otherwise the tiny LLaMA shipped for the tests. */
export async function obtainDemoModel(tinyModel: string, report: FetchReport, signal: AbortSignal): Promise<DemoModel> {
  const path = await fetchSmolLM2(report, signal);
  if (path !== undefined) {
    const description = `${smolLM2.name} (135 million parameters, 4-bit GGUF)`;
    const name = modelPath(smolLM2.hubName) === path ? smolLM2.hubName : smolLM2.name;
    return { name, path, description, pretrained: true };
  }
  report.say('No pretrained model can be reached, so the demo goes on with the tiny LLaMA of the tests. It has learned a few');
  report.say('paragraphs by heart and nothing else: the loss will fall, but its answers will make no sense.');
  return {
    name: tinyModel,
    path: tinyModel,
    description: 'the tiny LLaMA of the tests (0.2 million parameters)',
    pretrained: false,
  };
}
