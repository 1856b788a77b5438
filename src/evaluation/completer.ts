import type { Completion } from '../complete/complete.js';
import type { CompletionArm } from '../protocol/completionReport.js';
import type { Position } from './positions.js';

/** What is evaluated: a model with each of the arms, or in tests one that knows the truth. */
export interface Completer {
  /** What the editor would show at the position. */
  suggest(position: Position, arm: CompletionArm, signal: AbortSignal): Promise<Completion>;
  /** −log2 of the probability of what was really written there. */
  bits(position: Position, arm: CompletionArm, signal: AbortSignal): Promise<number>;
  /** The same for a text, after a beginning that is given. */
  bitsOfText(beginning: string, text: string, arm: CompletionArm, signal: AbortSignal): Promise<number>;
}
