import { UserError } from '../core/errors.js';
import { exitCodes, interruptSignal, type ExitCode } from './interrupt.js';
import { Output } from './output.js';

/** What is passed to every command. */
export interface CommandContext {
  readonly output: Output;
  /** Aborted by Ctrl+C. */
  readonly signal: AbortSignal;
}

/** Runs a command and sets the exit code. A UserError prints one line; an unexpected error is a bug and prints its stack. */
export async function runCommand(json: boolean, command: (context: CommandContext) => Promise<ExitCode>): Promise<void> {
  const output = new Output(json);
  try {
    process.exitCode = await command({ output, signal: interruptSignal() });
  } catch (error) {
    process.exitCode = report(error, output);
  }
}

function report(error: unknown, output: Output): ExitCode {
  if (error instanceof UserError) {
    output.fail(error.code, error.message);
    return exitCodes.failed;
  }
  if (error instanceof Error && error.name === 'AbortError') {
    output.fail('cancelled', 'cancelled.');
    return exitCodes.cancelled;
  }
  output.fail('internal', `internal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return exitCodes.failed;
}
