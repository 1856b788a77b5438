import { readAdapterFor } from '../../files/adapterFolder.js';
import { loadTextModel } from '../../runtime/engine.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import { loadModel } from '../../complete/loadedModel.js';
import { encodePrompt, templateFor, type Template } from '../../runs/promptTemplate.js';
import type { CommandContext } from '../perform.js';
import { writeText } from '../../complete/writeText.js';

export interface GenerateOptions {
  readonly model: string;
  readonly adapter?: string;
  readonly strength: number;
  readonly prompt: string;
  readonly input?: string;
  readonly template: Template | 'auto';
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly stop?: readonly string[];
  readonly seed: number;
  readonly threads?: number;
}

export async function generate({ output, signal }: CommandContext, options: GenerateOptions): Promise<ExitCode> {
  const { weights, tokens } = loadModel(options.model);
  const adapter = options.adapter === undefined ? null : readAdapterFor(weights.config, options.adapter);
  const template = options.template === 'auto' ? templateFor(tokens, options.adapter) : options.template;
  const promptIds = encodePrompt(tokens, { text: options.prompt, input: options.input ?? '' }, template);
  const model = await loadTextModel(weights, { device: 'auto', base_dtype: 'auto', threads: options.threads ?? null });
  try {
    const { temperature, topK, topP, minP, repetitionPenalty, seed, maxNewTokens, stop = [] } = options;
    const sampling = { temperature, topK, topP, minP, repetitionPenalty, seed };
    const request = { promptIds, adapter, adapterStrength: options.strength, sampling, maxNewTokens, stop };
    const written = await writeText(model, tokens, request, (text) => output.stream(text), signal);
    output.say();
    output.emit({ ...written, template, seed });
    return signal.aborted ? exitCodes.cancelled : exitCodes.done;
  } finally {
    await model.dispose();
    weights.close();
  }
}
