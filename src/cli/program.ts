/** @file The commands, their options and their help. The implementations are in commands/ and are loaded on demand. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { version } from '../../package.json';
import { fillInTheMiddleNames } from '../core/tokenizer/fillInTheMiddleFormats.js';
import { promptTemplates } from '../protocol/backend.js';
import { dataFormats } from '../protocol/runConfig.js';
import { usualSequenceLength } from '../protocol/runConfigSchema.js';
import { exitCodes } from './interrupt.js';
import { runCommand } from './runCommand.js';
import { settingsHelp } from './settingsHelp.js';

const usualLengthInWords = `(default: ${usualSequenceLength}, or all that the model reads)`;

/** `productFolder` contains examples/ and package.json. */
export function createProgram(productFolder: string): Command {
  const program = new Command('lora-workbench')
    .description('Fine-tune LLaMA-family models with LoRA on your own machine.')
    .version(version)
    .showHelpAfterError('Add --help to see how it is used.')
    .exitOverride()
    .addHelpText('after', examples('demo', 'train --config run.json', 'train --help'));

  addTrain(program);
  addResume(program);
  addGenerate(program);
  addComplete(program);
  addEvaluate(program);
  addInspect(program);
  addDoctor(program);
  addDemo(program, productFolder);
  return program;
}

/** Parses the arguments and runs the command; the exit code ends up in process.exitCode. */
export async function runProgram(program: Command, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
}

function addTrain(program: Command): void {
  add(program, 'train', 'Fine-tune a model as run.json says.')
    .requiredOption('--config <file>', 'the run config: model, data, LoRA and training settings')
    .option('--out <folder>', 'the run directory to make (default: runs/<date and time>)')
    .option('--set <setting=value>', 'change one setting of the config; may be given several times', collect)
    .option('--dry-run', 'only look: data report, one example token by token, memory and time')
    .addHelpText(
      'after',
      examples(
        'train --config run.json --dry-run',
        'train --config run.json --out runs/first',
        'train --config run.json --set train.max_steps=20 --set lora.r=16',
      ),
    )
    .addHelpText('after', '\nCtrl+C saves a checkpoint and ends; `resume` goes on.')
    .addHelpText('after', () => settingsHelp(Math.min(100, process.stdout.columns || 100)))
    .action((options) =>
      runCommand(Boolean(options.json), async (context) => (await import('./commands/train.js')).train(context, options)),
    );
}

function addResume(program: Command): void {
  add(program, 'resume', 'Go on with a run from its last checkpoint.')
    .argument('<run>', 'the run directory')
    .addHelpText('after', examples('resume runs/first'))
    .action((run, options) =>
      runCommand(Boolean(options.json), async (context) => (await import('./commands/train.js')).resume(context, run)),
    );
}

function addGenerate(program: Command): void {
  withModel(add(program, 'generate', 'Write text with a model, with or without an adapter.'))
    .requiredOption('--prompt <text>', 'what to answer or continue')
    .option('--input <text>', 'what the prompt is about: the second part of an Alpaca prompt')
    .addOption(strength())
    .addOption(
      new Option('--template <name>', 'how the prompt is dressed; auto: as the adapter was trained, else as the model wants it')
        .choices(['auto', ...promptTemplates])
        .default('auto'),
    )
    .option('--max-new-tokens <count>', 'tokens at most', integer(1), 200)
    .option('--temperature <value>', '0 always takes the likeliest token', number(0, 10), 0)
    .option('--top-k <count>', 'draw from the likeliest tokens only; 0 means all', integer(0), 0)
    .option('--top-p <share>', 'draw from the likeliest tokens that make up this share', number(0, 1), 1)
    .option('--min-p <share>', 'drop tokens less likely than this share of the likeliest', number(0, 1), 0)
    .option('--repetition-penalty <factor>', 'above 1 discourages repetition', number(0.1, 10), 1)
    .option('--stop <text>', 'end before this text; may be given several times', collectTexts)
    .option('--seed <number>', 'makes sampling repeatable', integer(0), 1337)
    .addHelpText(
      'after',
      examples(
        'generate --model ./SmolLM2 --prompt "What is LoRA?"',
        'generate --model ./SmolLM2 --adapter runs/first/adapter --prompt "What is LoRA?" --temperature 0.7 --seed 1',
      ),
    )
    .action((options) =>
      runCommand(Boolean(options.json), async (context) => (await import('./commands/generate.js')).generate(context, options)),
    );
}

function addComplete(program: Command): void {
  withModel(add(program, 'complete', 'Show what the editor would suggest at a place in a file.'))
    .argument('<file>', 'a source file')
    .requiredOption('--line <number>', 'line of the cursor, counted from 1', integer(1))
    .option('--column <number>', 'column of the cursor, counted from 1 (default: the end of the line)', integer(1))
    .addOption(strength())
    .addOption(new Option('--mode <name>', 'one line, or a whole block').choices(['auto', 'line', 'block']).default('auto'))
    .addOption(
      new Option('--fim <format>', 'how the model reads what stands behind the cursor, too; none: it does not')
        .choices(['auto', 'none', ...fillInTheMiddleNames])
        .default('auto'),
    )
    .option('--fim-prefix <marker>', 'markers of your own instead of a format: what opens the text before the cursor')
    .option('--fim-suffix <marker>', 'what opens the text behind the cursor')
    .option('--fim-middle <marker>', 'what opens the text between (default: none)')
    .option('--fim-end <marker>', 'what ends it (default: what ends any text of the model)')
    .addOption(
      new Option('--fim-order <name>', 'what the model reads first, with markers of your own')
        .choices(['PSM', 'SPM'])
        .default('PSM'),
    )
    .option('--max-new-tokens <count>', 'tokens at most', integer(1), 64)
    .addHelpText('after', examples('complete src/app.py --line 12 --model ./SmolLM2 --adapter runs/first/adapter'))
    .action((file, options) =>
      runCommand(Boolean(options.json), async (context) =>
        (await import('./commands/complete.js')).complete(context, file, options),
      ),
    );
}

function addEvaluate(program: Command): void {
  withModel(add(program, 'evaluate', 'Measure loss and perplexity on a data set.'))
    .requiredOption('--data <path>', 'the data set')
    .addOption(new Option('--format <name>', 'format of the data').choices([...dataFormats]).default('auto'))
    .option('--max-seq-length <tokens>', `longer examples are cut ${usualLengthInWords}`, integer(2))
    .option('--batch-size <count>', 'sequences at a time', integer(1), 4)
    .option('--train-on-prompt', 'count the tokens of the prompts too')
    .addHelpText('after', examples('evaluate --model ./SmolLM2 --adapter runs/first/adapter --data heldout.jsonl'))
    .action((options) =>
      runCommand(Boolean(options.json), async (context) => (await import('./commands/evaluate.js')).evaluate(context, options)),
    );
}

function addInspect(program: Command): void {
  add(program, 'inspect', 'Describe a model, an adapter, a run or a data set.')
    .argument('<path>', 'a folder or a file, or the name of a model in the cache')
    .option('--model <path>', 'count a data set in the tokens of this model')
    .option('--max-seq-length <tokens>', `with --model: what counts as too long ${usualLengthInWords}`, integer(2))
    .addHelpText(
      'after',
      examples(
        'inspect ./SmolLM2',
        'inspect runs/first',
        'inspect data.jsonl --model ./SmolLM2',
        'inspect runs/first/adapter --json',
      ),
    )
    .action((path, options) =>
      runCommand(Boolean(options.json), async (context) =>
        (await import('./commands/inspect.js')).inspect(context, path, options),
      ),
    );
}

function addDoctor(program: Command): void {
  add(program, 'doctor', 'Look at this machine: devices, memory, versions, and what is missing.')
    .addHelpText('after', examples('doctor', 'doctor --json'))
    .action((options) =>
      runCommand(Boolean(options.json), async (context) => (await import('./commands/doctor.js')).doctor(context)),
    );
}

function addDemo(program: Command, productFolder: string): void {
  add(program, 'demo', 'Fetch a small model, fine-tune it in a few minutes, and count its right answers before and after.')
    .option('--out <folder>', 'the run directory to make (default: runs/demo-<date and time>)')
    .option('--max-steps <count>', 'optimizer steps', integer(1))
    .addHelpText('after', examples('demo', 'demo --max-steps 20'))
    .action((options) =>
      runCommand(Boolean(options.json), async (context) =>
        (await import('./commands/demo.js')).demo(context, productFolder, options),
      ),
    );
}

function add(program: Command, name: string, description: string): Command {
  return program.command(name).description(description).option('--json', 'speak JSON, for programs');
}

function withModel(command: Command): Command {
  return command
    .requiredOption('--model <path>', 'a Hugging Face folder, a .gguf file, or the name of a model in the cache')
    .option('--adapter <folder>', 'a PEFT adapter to put on top')
    .addOption(
      new Option('--device <name>', 'where to compute; auto: the faster of GPU and CPU')
        .choices(['auto', 'cpu', 'webgpu'])
        .default('auto'),
    )
    .option('--threads <count>', 'CPU threads (default: as many as cores)', integer(1));
}

function strength(): Option {
  return new Option('--strength <factor>', 'strength of the adapter').argParser(number(0, 2)).default(1, '1, as trained; 0 to 2');
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  lora-workbench ${line}`).join('\n')}`;
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

function collectTexts(value: string, earlier?: string[]): string[] {
  if (value === '') throw new InvalidArgumentError('Expected some text.');
  return collect(value, earlier);
}

function number(min: number, max = Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() && value >= min && value <= max) return value;
    throw new InvalidArgumentError(max === Infinity ? `Expected at least ${min}.` : `Expected ${min} to ${max}.`);
  };
}

function integer(min: number): (text: string) => number {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) >= min) return Number(text);
    throw new InvalidArgumentError(`Expected a whole number from ${min}.`);
  };
}
