import { UserError } from '../core/errors.js';
import { exitCodes, interruptSignal, type ExitCode } from './interrupt.js';
import { Output } from './output.js';

/** What every command gets. */
export interface CommandContext {
  readonly output: Output;
  /** Aborted by Ctrl+C. */
  readonly signal: AbortSignal;
}

/** Runs a command and turns its end into an exit code: a UserError is one line, anything else a defect of ours with its stack. */
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
