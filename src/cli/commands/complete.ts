import { readFileSync } from 'node:fs';
import { basename, isAbsolute, relative, sep } from 'node:path';
import { complete as completeAt, type CompletionRequest } from '../../complete/complete.js';
import { UserError } from '../../core/errors.js';
import { reading } from '../../files/reading.js';
import { fillInTheMiddleWith } from '../../files/taughtMarkers.js';
import type { FillInTheMiddleChoice } from '../../core/tokenizer/fillInTheMiddle.js';
import type { FillInTheMiddleOrder } from '../../core/tokenizer/fillInTheMiddleFormats.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import type { CommandContext } from '../runCommand.js';
import { withTextModel, type TextModelOptions } from '../withTextModel.js';

export interface CompleteOptions extends TextModelOptions {
  readonly strength: number;
  readonly line: number;
  readonly column?: number;
  readonly mode: CompletionRequest['mode'];
  readonly fim: string;
  readonly fimPrefix?: string;
  readonly fimSuffix?: string;
  readonly fimMiddle?: string;
  readonly fimEnd?: string;
  readonly fimOrder: FillInTheMiddleOrder;
  readonly maxNewTokens: number;
}

/** Shows what the editor would offer as ghost text at a place in a file, and how much text after the cursor it would replace. */
export async function complete({ output, signal }: CommandContext, file: string, options: CompleteOptions): Promise<ExitCode> {
  const cursor = { ...splitAt(file, options.line, options.column), file: shownPath(file) };
  return withTextModel(output, options, async (model, tokenizer, adapter) => {
    const { strength: adapterStrength, mode, maxNewTokens } = options;
    const format = fillInTheMiddleWith(options.adapter ?? null, tokenizer, fillInTheMiddleChoice(options));
    const started = performance.now();
    const { text, replaced } = await completeAt(
      { model, tokenizer, adapter, adapterStrength, format, mode, maxNewTokens, ...cursor },
      signal,
    );
    output.say(text);
    output.emit({ text, replaced, fillInTheMiddle: format?.name ?? null, milliseconds: performance.now() - started });
    return signal.aborted ? exitCodes.cancelled : exitCodes.done;
  });
}

/** Custom markers take precedence over a named format. */
function fillInTheMiddleChoice(options: CompleteOptions): FillInTheMiddleChoice {
  const { fim, fimPrefix: prefix, fimSuffix: suffix, fimMiddle: middle, fimEnd: end, fimOrder: order } = options;
  return (prefix ?? suffix ?? middle ?? end) === undefined ? fim : { prefix, suffix, middle, end, order };
}

/** The path as a repository would show it: relative to the current folder, or just the name for a file outside it. */
function shownPath(file: string): string {
  const way = relative('.', file);
  const isOutside = isAbsolute(way) || way.split(sep)[0] === '..';
  return (isOutside ? basename(file) : way).replaceAll(sep, '/');
}

/** Splits the text at a place; lines and columns are counted from 1, as editors show them. */
function splitAt(file: string, line: number, column: number | undefined): { prefix: string; suffix: string } {
  const text = readText(file);
  const lines = text.split('\n');
  const content = lines[line - 1];
  if (content === undefined)
    throw new UserError('data-invalid', `${file} has ${lines.length} lines, so there is no line ${line}.`);
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const offset = before + Math.min((column ?? Infinity) - 1, content.replace(/\r$/, '').length);
  return { prefix: text.slice(0, offset), suffix: text.slice(offset) };
}

function readText(file: string): string {
  return reading(file, () => readFileSync(file, 'utf8'));
}
