/** @file The commands that train several runs, their options and their help. */
import { Option, type Command } from 'commander';
import { add, examples } from './options.js';
import { runCommand } from './runCommand.js';

export function addQueue(program: Command): void {
  add(program, 'queue', 'Train the runs that wait in a folder one after the other, as VS Code does.')
    .argument('[folder]', 'the folder of the runs', 'runs')
    .addOption(new Option('--worker').hideHelp())
    .addHelpText('after', examples('queue', 'queue ./experiments'))
    .addHelpText('after', '\nCtrl+C saves a checkpoint and ends; the run keeps its place in the queue, and `queue` goes on.')
    .action((folder, options) =>
      runCommand(Boolean(options.json), async (context) => (await import('./commands/queue.js')).queue(context, folder, options)),
    );
}
