/** @file Options that several commands have, and how their values are read. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { exportDTypes } from '../protocol/export.js';

export const modelHelp =
  'a Hugging Face folder, a .gguf file, or the name of a model in a cache: OWNER/NAME, or NAME:TAG of Ollama';
export const threadsHelp = 'CPU threads (default: as many as cores)';

export function add(program: Command, name: string, description: string): Command {
  return program.command(name).description(description).option('--json', 'speak JSON, for programs');
}

export function withModel(command: Command): Command {
  return command
    .requiredOption('--model <path>', modelHelp)
    .option('--adapter <folder>', 'a PEFT adapter to put on top')
    .addOption(device())
    .option('--threads <count>', threadsHelp, integer(1));
}

export function completionMode(): Option {
  return new Option('--mode <name>', 'one line, or a whole block').choices(['auto', 'line', 'block']).default('auto');
}

export function device(): Option {
  return new Option('--device <name>', 'where to compute; auto: the faster of GPU and CPU')
    .choices(['auto', 'cpu', 'webgpu'])
    .default('auto');
}

export function dtype(): Option {
  return new Option('--dtype <type>', 'how weights are stored (default: closest to the base; f32 for an adapter alone)').choices([
    ...exportDTypes,
  ]);
}

export function strength(): Option {
  return new Option('--strength <factor>', 'strength of the adapter').argParser(number(0, 2)).default(1, '1, as trained; 0 to 2');
}

export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  lora-workbench ${line}`).join('\n')}`;
}

export function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

export function collectTexts(value: string, earlier?: string[]): string[] {
  if (value === '') throw new InvalidArgumentError('Expected some text.');
  return collect(value, earlier);
}

export function number(min: number, max = Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() && value >= min && value <= max) return value;
    throw new InvalidArgumentError(max === Infinity ? `Expected at least ${min}.` : `Expected ${min} to ${max}.`);
  };
}

export function integer(min: number): (text: string) => number {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) >= min) return Number(text);
    throw new InvalidArgumentError(`Expected a whole number from ${min}.`);
  };
}
