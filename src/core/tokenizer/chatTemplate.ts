import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { ChatMessage, ChatTemplateOptions } from './tokenizer.js';

/** A model's Jinja template, rendered as transformers does (trim_blocks, lstrip_blocks, raise_exception, strftime_now). */
export class ChatTemplate {
  private program: ReturnType<typeof parse> | undefined;

  /** `specialTokens` holds bos_token and the like, under the names that templates use. `file` is for messages. */
  constructor(
    private readonly source: string,
    private readonly specialTokens: Readonly<Record<string, string>>,
    private readonly file: string,
  ) {}

  render(messages: readonly ChatMessage[], { addGenerationPrompt = false, now = new Date() }: ChatTemplateOptions = {}): string {
    try {
      this.program ??= parse(tokenize(this.source, { trim_blocks: true, lstrip_blocks: true }));
      const variables = {
        ...globals(now),
        ...this.specialTokens,
        messages,
        add_generation_prompt: addGenerationPrompt,
      };
      const environment = new Environment();
      for (const [name, value] of Object.entries(variables)) environment.set(name, value);
      return String(new BoundedInterpreter(environment).run(this.program).value);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UserError('model-unsupported', t`${this.file}: the chat template refused this conversation: ${reason}`, {
        cause: error,
      });
    }
  }
}

/** Expressions and statements, counted on every loop iteration; a conversation of a hundred turns takes two thousand. */
const maxSteps = 50_000;

/** Stops a template that would run for hours. */
class BoundedInterpreter extends Interpreter {
  private steps = 0;

  override evaluate(...node: Parameters<Interpreter['evaluate']>): ReturnType<Interpreter['evaluate']> {
    if (++this.steps > maxSteps) throw new Error(t`it ran for too long`);
    return super.evaluate(...node);
  }
}

function globals(now: Date): Record<string, unknown> {
  return {
    true: true,
    false: false,
    none: null,
    True: true,
    False: false,
    None: null,
    range,
    raise_exception(message: string): never {
      throw new Error(message);
    },
    strftime_now: (format: string) => strftime(now, format),
  };
}

const longestRange = 1_000;

function range(...bounds: number[]): number[] {
  const [start, stop, step] = bounds.length === 1 ? [0, bounds[0]!, 1] : [bounds[0]!, bounds[1]!, bounds[2] ?? 1];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= longestRange)) throw new Error(t`range(${bounds.join(', ')}) is too long`);
  return Array.from({ length }, (_, index) => start + index * step);
}

const months = 'January February March April May June July August September October November December'.split(' ');
const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** Python's strftime in the C locale: templates expect English names, whatever the user's language. */
function strftime(date: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const month = months[date.getMonth()]!;
  const weekday = weekdays[date.getDay()]!;
  const fields: Readonly<Record<string, string>> = {
    Y: String(date.getFullYear()),
    y: two(date.getFullYear() % 100),
    m: two(date.getMonth() + 1),
    d: two(date.getDate()),
    B: month,
    b: month.slice(0, 3),
    A: weekday,
    a: weekday.slice(0, 3),
    H: two(date.getHours()),
    I: two(date.getHours() % 12 || 12),
    p: date.getHours() < 12 ? 'AM' : 'PM',
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    '%': '%',
  };
  return format.replace(/%(.)/gu, (directive, letter: string) => fields[letter] ?? directive);
}
