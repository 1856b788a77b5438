import { complete, type CompletionRequest } from '../complete/complete.js';
import { middleBits } from '../complete/middleBits.js';
import { othersFor } from '../complete/retrieval/retrieve.js';
import type { FillInTheMiddleChoice } from '../core/tokenizer/fillInTheMiddle.js';
import { fillInTheMiddleWith } from '../files/taughtMarkers.js';
import type { CompletionArm } from '../protocol/completionReport.js';
import type { ReadyModel, TextModels } from '../inference/textModels.js';
import type { contextBuilders } from './arms.js';
import type { Completer } from './completer.js';
import type { Position } from './positions.js';

/** As in the editor's settings of inline completion. */
export interface CompletionOptions {
  readonly mode: CompletionRequest['mode'];
  readonly fillInTheMiddle: FillInTheMiddleChoice;
  readonly maxNewTokens: number;
  readonly adapterStrength: number;
}

/** Completes as the editor does, only that nothing is reused that could be rounded differently from one evaluation to the next. */
export function modelCompleter(
  models: TextModels,
  model: ReadyModel,
  options: CompletionOptions,
  contexts: ReturnType<typeof contextBuilders>,
): Completer {
  const { textModel, tokenizer } = model;
  const requestOf = ({ adapter: folder }: CompletionArm) => {
    const adapter = models.adapter(model, folder);
    const format = fillInTheMiddleWith(folder, tokenizer, options.fillInTheMiddle);
    return { ...options, model: textModel, tokenizer, adapter, format, reuse: 'exact' as const };
  };
  const requestAt = (position: Position, arm: CompletionArm) => {
    const request = requestOf(arm);
    const { others = [], ...cursor } = contexts[arm.context](position);
    return { ...request, ...cursor, ...othersFor(request.format, others) };
  };
  return {
    suggest: (position, arm, signal) => complete(requestAt(position, arm), signal),
    bits: (position, arm, signal) => middleBits(requestAt(position, arm), position.middle, signal),
    bitsOfText: (beginning, text, arm, signal) => middleBits({ ...requestOf(arm), prefix: beginning, suffix: '' }, text, signal),
  };
}
