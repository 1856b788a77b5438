import { writeText } from '../../core/generate/writeText.js';
import type { PromptTemplate } from '../../protocol/backend.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import { encodePrompt, templateFor } from '../../runs/promptTemplate.js';
import type { CommandContext } from '../runCommand.js';
import { withTextModel, type TextModelOptions } from '../withTextModel.js';

export interface GenerateOptions extends TextModelOptions {
  readonly strength: number;
  readonly prompt: string;
  readonly input?: string;
  readonly template: PromptTemplate | 'auto';
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly stop?: readonly string[];
  readonly seed: number;
}

export async function generate({ output, signal }: CommandContext, options: GenerateOptions): Promise<ExitCode> {
  return withTextModel(output, options, async (model, tokenizer, adapter) => {
    const template = options.template === 'auto' ? templateFor(tokenizer, options.adapter) : options.template;
    const promptIds = encodePrompt(tokenizer, { text: options.prompt, input: options.input ?? '' }, template);
    const { temperature, topK, topP, minP, repetitionPenalty, seed, maxNewTokens, stop = [] } = options;
    const sampling = { temperature, topK, topP, minP, repetitionPenalty, seed };
    const request = { promptIds, adapter, adapterStrength: options.strength, sampling, maxNewTokens, stop };
    const written = await writeText(model, tokenizer, request, (text) => output.stream(text), signal);
    output.say();
    output.emit({ ...written, template, seed });
    return signal.aborted ? exitCodes.cancelled : exitCodes.done;
  });
}
