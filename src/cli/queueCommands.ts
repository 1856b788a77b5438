/** @file The commands that train several runs, their options and their help. */
import { Option, type Command } from 'commander';
import { enoughPositions } from '../protocol/completionReport.js';
import { add, collect, examples, integer } from './options.js';
import { runCommand } from './runCommand.js';

export function addQueueCommands(program: Command): void {
  addQueue(program);
  addSweep(program);
  addSweepReport(program);
}

function addQueue(program: Command): void {
  add(program, 'queue', 'Train the runs that wait in a folder one after the other, as VS Code does.')
    .argument('[folder]', 'the folder of the runs', 'runs')
    .addOption(new Option('--worker').hideHelp())
    .addHelpText('after', examples('queue', 'queue ./experiments'))
    .addHelpText('after', '\nCtrl+C saves a checkpoint and ends; the run keeps its place in the queue, and `queue` goes on.')
    .action((folder, options) =>
      runCommand(Boolean(options.json), async (context) => (await import('./commands/queue.js')).queue(context, folder, options)),
    );
}

function addSweep(program: Command): void {
  const command = add(program, 'sweep', 'Train one config with several values of some settings, and tell which run to take.')
    .requiredOption('--config <file>', 'the run config that all runs share')
    .requiredOption('--vary <setting=values>', 'the values to try, with commas between; may be given several times', collect)
    .option('--set <setting=value>', 'change one setting of the config for all runs; may be given several times', collect)
    .option('--halving <factor>', 'after some steps, train only the best one in so many runs further, and so on', integer(2))
    .option('--out <folder>', 'the folder to make for the sweep (default: runs/sweep-<date and time>)');
  withCompletion(command)
    .addHelpText(
      'after',
      examples(
        'sweep --config run.json --vary lora.r=2,4,8,16',
        'sweep --config run.json --vary lora.r=4,8,16 --vary train.learning_rate=1e-4,3e-4,1e-3 --halving 3',
        'sweep --config run.json --vary \'lora.target_modules=["q_proj","v_proj"],["up_proj","down_proj"]\'',
      ),
    )
    .addHelpText(
      'after',
      `
The runs wait in the queue of the folder around the sweep, as in VS Code. Ctrl+C saves a checkpoint and ends; \`queue\` goes on.
lora.alpha stays as it is when lora.r varies: the best learning rate then depends little on the rank.`,
    )
    .action((options) =>
      runCommand(Boolean(options.json), async (context) => (await import('./commands/sweep.js')).sweep(context, options)),
    );
}

function addSweepReport(program: Command): void {
  withCompletion(add(program, 'sweep-report', 'Show how the runs of a sweep compare, and which one to take.'))
    .argument('<sweep>', 'the folder of the sweep')
    .addHelpText('after', examples('sweep-report runs/ranks', 'sweep-report runs/ranks --evaluate-completion --json'))
    .action((folder, options) =>
      runCommand(Boolean(options.json), async (context) =>
        (await import('./commands/sweep.js')).showSweep(context, folder, options),
      ),
    );
}

function withCompletion(command: Command): Command {
  return command
    .option('--evaluate-completion', 'for source code: also compare what the finished adapters suggest in held-out files')
    .option('--positions <count>', 'with --evaluate-completion: how many places to complete at', integer(1), enoughPositions)
    .option('--seed <number>', 'with --evaluate-completion: the same seed chooses the same places', integer(0), 1337);
}
