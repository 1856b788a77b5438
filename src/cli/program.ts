/** @file The commands, their options and their help. The implementations are in commands/ and are loaded on demand. */
import { Command, CommanderError, Option } from 'commander';
import { version } from '../../package.json';
import { fillInTheMiddleNames } from '../core/tokenizer/fillInTheMiddleFormats.js';
import { usualLeakProbe } from '../protocol/leakProbe.js';
import { promptTemplates } from '../protocol/backend.js';
import { enoughPositions } from '../protocol/completionReport.js';
import { exportTargets } from '../protocol/export.js';
import { dataFormats } from '../protocol/runConfig.js';
import { usualSequenceLength } from '../protocol/runConfigSchema.js';
import { usualPort } from '../serve/usualPort.js';
import { exitCodes } from './interrupt.js';
import {
  add,
  collect,
  collectTexts,
  completionMode,
  device,
  dtype,
  examples,
  integer,
  modelHelp,
  number,
  strength,
  threadsHelp,
  withModel,
} from './options.js';
import { addQueueCommands } from './queueCommands.js';
import { runCommand } from './runCommand.js';
import { settingsHelp } from './settingsHelp.js';

const targetsInWords =
  'merged: a Hugging Face folder with the adapter in the weights; gguf: the same as one file; gguf-lora: the adapter for llama.cpp; peft: the adapter for PEFT and vLLM';
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
  addQueueCommands(program);
  addGenerate(program);
  addComplete(program);
  addEvaluate(program);
  addEvaluateCompletion(program);
  addExport(program);
  addConvert(program);
  addMerge(program);
  addSpectrum(program);
  addLeakProbe(program);
  addServe(program);
  addInspect(program);
  addDownload(program);
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
    .addOption(completionMode())
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
    .requiredOption('--data <path>', 'the data set: a file, a folder, or OWNER/NAME on the hub')
    .addOption(new Option('--format <name>', 'format of the data').choices([...dataFormats]).default('auto'))
    .option('--max-seq-length <tokens>', `longer examples are cut ${usualLengthInWords}`, integer(2))
    .option('--batch-size <count>', 'sequences at a time', integer(1), 4)
    .option('--train-on-prompt', 'count the tokens of the prompts too')
    .addHelpText('after', examples('evaluate --model ./SmolLM2 --adapter runs/first/adapter --data heldout.jsonl'))
    .action((options) =>
      runCommand(Boolean(options.json), async (context) => (await import('./commands/evaluate.js')).evaluate(context, options)),
    );
}

function addEvaluateCompletion(program: Command): void {
  add(
    program,
    'evaluate-completion',
    'Compare what a run’s adapter, its base and a control suggest in code they have never seen.',
  )
    .argument('<run>', 'the run directory; its model, its adapter and the files that it held out are used')
    .option('--control <path>', 'an adapter trained as long on unrelated code, or its run (default: the one kept with the run)')
    .option('--train-control <folder>', 'first train the control on the source code in this folder; it is kept with the run')
    .option('--adapter <path>', 'another adapter or run to compare with; may be given several times', collect)
    .option('--files <folder>', 'complete in this source code in place of the files that the run held out')
    .option('--retrieval', 'compare also with base and adapter when they read similar parts of the training files (BM25)')
    .option('--positions <count>', 'how many places to complete at', integer(1), enoughPositions)
    .option('--seed <number>', 'the same seed chooses the same places', integer(0), 1337)
    .addOption(strength())
    .addOption(completionMode())
    .addOption(
      new Option('--fim <format>', 'how the model reads what stands behind the cursor, too; none: it does not')
        .choices(['auto', 'none', ...fillInTheMiddleNames])
        .default('auto'),
    )
    .option('--max-new-tokens <count>', 'tokens at most', integer(1), 64)
    .addOption(device())
    .option('--threads <count>', threadsHelp, integer(1))
    .addHelpText(
      'after',
      examples(
        'evaluate-completion runs/first --train-control ../another-project/src',
        'evaluate-completion runs/first --adapter runs/second --positions 400 --json',
      ),
    )
    .addHelpText(
      'after',
      '\nWhat was interrupted is continued. The report is written into the run directory, for VS Code to show.',
    )
    .action((run, options) =>
      runCommand(Boolean(options.json), async (context) =>
        (await import('./commands/evaluateCompletion.js')).evaluateCompletion(context, run, options),
      ),
    );
}

function addExport(program: Command): void {
  add(program, 'export', 'Write an adapter, alone or merged into its base, for use elsewhere.')
    .argument('<adapter>', 'a run directory, or the folder of an adapter')
    .addOption(new Option('--to <target>', targetsInWords).choices([...exportTargets]).makeOptionMandatory())
    .addOption(dtype())
    .addOption(strength())
    .requiredOption('--out <path>', 'the folder or .gguf file to make')
    .option('--model <path>', 'the base model (default: the one that the adapter names)')
    .addHelpText(
      'after',
      `
What was written is read again and compared with base and adapter; if it differs, it is removed.
llama.cpp reads Gemma’s activation from a table of 16-bit numbers, so there its logits differ by up to 0.01 more.`,
    )
    .addHelpText(
      'after',
      examples(
        'export runs/first --to merged --out ./merged',
        'export runs/first --to gguf --dtype q8_0 --out first.gguf',
        'export runs/first/adapter-best --to gguf-lora --out first-lora.gguf',
      ),
    )
    .action((path, options) =>
      runCommand(Boolean(options.json), async (context) =>
        (await import('./commands/export.js')).exportAdapter(context, path, options),
      ),
    );
}

function addConvert(program: Command): void {
  add(program, 'convert', 'Write a model as a Hugging Face folder or as GGUF.')
    .argument('<model>', modelHelp)
    .addOption(new Option('--to <target>', 'merged: a Hugging Face folder').choices(['merged', 'gguf']).default('merged'))
    .addOption(dtype())
    .requiredOption('--out <path>', 'the folder or .gguf file to make')
    .addHelpText('after', examples('convert model.gguf --out ./model', 'convert ./model --to gguf --dtype q4_0 --out model.gguf'))
    .action((model, options) =>
      runCommand(Boolean(options.json), async (context) =>
        (await import('./commands/export.js')).convert(context, model, options),
      ),
    );
}

function addMerge(program: Command): void {
  add(program, 'merge', 'Add adapters of one base with weights, as a new adapter.')
    .argument('<adapter[:weight]...>', 'two or more adapters or runs, and how much of each to take (default: 1)')
    .requiredOption('--out <folder>', 'the adapter to make')
    .option('--rank <count>', 'the largest rank it may have (default: the sum of the ranks, which loses nothing)', integer(1))
    .addHelpText(
      'after',
      examples(
        'merge runs/style/adapter:0.7 runs/facts/adapter:0.3 --out merged',
        'merge runs/first runs/second --rank 16 --out merged',
      ),
    )
    .action((adapters, options) =>
      runCommand(Boolean(options.json), async (context) =>
        (await import('./commands/merge.js')).merge(context, adapters, options),
      ),
    );
}

function addSpectrum(program: Command): void {
  add(
    program,
    'spectrum',
    'Show what an adapter has learned: how much of its rank is in use, where, and what a lower one would cost.',
  )
    .argument('<adapter>', 'a run directory, or the folder of an adapter')
    .option('--model <path>', 'the base model, to compare the change with its weights (default: the one that the adapter names)')
    .option('--compare <adapter>', 'another adapter: how much of the directions of one lies in those of the other')
    .option('--intruders <matrix>', 'look for intruder dimensions in one weight, such as 5.q_proj for that of layer 5')
    .option('--losses', 'measure the held-out loss of lower ranks, made by SVD')
    .option('--data <path>', 'with --losses: data to measure on (default: what the run held out)')
    .addOption(device())
    .option('--threads <count>', threadsHelp, integer(1))
    .addHelpText(
      'after',
      examples(
        'spectrum runs/first',
        'spectrum runs/first --compare runs/second',
        'spectrum runs/first --losses',
        'spectrum runs/first/adapter --intruders 5.q_proj --json',
      ),
    )
    .action((adapter, options) =>
      runCommand(Boolean(options.json), async (context) =>
        (await import('./commands/spectrum.js')).spectrum(context, adapter, options),
      ),
    );
}

function addLeakProbe(program: Command): void {
  const usual = usualLeakProbe;
  add(program, 'leak-probe', 'Look for training text that an adapter writes word for word, and its base does not.')
    .argument('<run>', 'the run directory; its data must still be there')
    .option('--best', 'probe the adapter with the lowest held-out loss, not the last one')
    .option('--probes <count>', 'places in the training text at most', integer(1), usual.probes)
    .option('--prefix-tokens <count>', 'tokens that the model is shown', integer(1), usual.prefixTokens)
    .option('--match-tokens <count>', 'tokens that it must go on with exactly to be counted', integer(1), usual.matchTokens)
    .option('--seed <number>', 'chooses the places', integer(0), usual.seed)
    .addOption(device())
    .option('--threads <count>', threadsHelp, integer(1))
    .addHelpText('after', examples('leak-probe runs/first', 'leak-probe runs/first --probes 1000 --match-tokens 30 --json'))
    .action((run, options) =>
      runCommand(Boolean(options.json), async (context) =>
        (await import('./commands/leakProbe.js')).leakProbe(context, run, options),
      ),
    );
}

function addServe(program: Command): void {
  add(program, 'serve', 'Answer other tools over HTTP, as OpenAI and llama.cpp do: every adapter is a model.')
    .requiredOption('--model <path>', modelHelp)
    .option('--adapter <folder>', 'a PEFT adapter, or NAME=FOLDER; may be given several times', collect)
    .addOption(device())
    .option('--threads <count>', threadsHelp, integer(1))
    .option('--host <address>', 'the address to listen on; other than this machine’s own, it needs a key', '127.0.0.1')
    .option('--port <number>', 'the port; 0 takes any that is free', integer(0), usualPort)
    .addOption(
      new Option('--api-key <key>', 'the key that clients send (default: a new one, which is printed)').env(
        'LORA_WORKBENCH_API_KEY',
      ),
    )
    .option('--no-api-key', 'answer without a key; only on this machine’s own address')
    .option('--cors <origin>', 'a web page that may use it, such as http://localhost:3000; may be given several times', collect)
    .addHelpText(
      'after',
      examples(
        'serve --model ./SmolLM2 --adapter runs/first/adapter',
        'serve --model ./Qwen2.5-Coder --adapter mine=runs/code/adapter --no-api-key',
      ),
    )
    .addHelpText('after', '\nHow other tools are set up: docs/endpoint.md.')
    .action((options) =>
      runCommand(Boolean(options.json), async (context) => (await import('./commands/serve.js')).serve(context, options)),
    );
}

function addInspect(program: Command): void {
  add(program, 'inspect', 'Describe a model, an adapter, a run or a data set.')
    .argument('<path>', 'a folder or a file, the name of a model in the cache, or a downloaded data set: OWNER/NAME')
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

function addDownload(program: Command): void {
  add(program, 'download', 'Download a model or a data set from the hub, or list good first models.')
    .argument('[model]', 'OWNER/NAME, OWNER/NAME@REVISION, or the address of its page')
    .option('--dataset <name>', 'a data set instead: OWNER/NAME, OWNER/NAME@REVISION, or either with :CONFIG/SPLIT')
    .option('--quantization <name>', 'the GGUF that is so quantized, such as Q4_K_M')
    .option('--file <pattern>', 'the file with the weights; * stands for any characters')
    .option('--token <token>', 'your token, for gated and private models (default: HF_TOKEN, or that of `hf auth login`)')
    .addHelpText(
      'after',
      examples(
        'download',
        'download HuggingFaceTB/SmolLM2-135M-Instruct',
        'download bartowski/Llama-3.2-1B-Instruct-GGUF --quantization Q4_K_M',
        'download --dataset HuggingFaceH4/no_robots',
      ),
    )
    .addHelpText('after', '\nWhat was interrupted is continued. HF_ENDPOINT names a mirror, HF_HOME the folder of the cache.')
    .action((model, options) =>
      runCommand(Boolean(options.json), async (context) =>
        (await import('./commands/download.js')).download(context, model, options),
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
