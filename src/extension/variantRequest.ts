import type { GenerateParams, Prompt } from '../protocol/backend.js';
import { playgroundSides, type PlaygroundRequest, type PlaygroundSide, type Variant } from '../protocol/views/playground.js';
import type { FilePrompt } from './promptFile.js';

/** The columns that answer, in the order in which they are asked: the engine computes one at a time. */
export function askedSides(request: Pick<PlaygroundRequest, PlaygroundSide>): readonly PlaygroundSide[] {
  return playgroundSides.filter((side) => request[side] !== null);
}

/** What the backend is asked to write in a column. */
export function variantRequest(
  request: PlaygroundRequest,
  side: PlaygroundSide,
  prompt: FilePrompt,
): Omit<GenerateParams, 'streamId'> {
  const { model, template, sampling, maxNewTokens } = request;
  const { adapter, strength } = request[side]!;
  // Beside an adapter the base reads the same words, dressed as the adapter learned to read them.
  const dressedFor = adapter ?? otherVariant(request, side)?.adapter ?? null;
  const dressed: Prompt =
    typeof prompt === 'string'
      ? { kind: 'text', text: prompt, template, adapter: dressedFor }
      : { kind: 'chat', messages: prompt };
  return { model, adapter, adapterStrength: strength, prompt: dressed, sampling, maxNewTokens };
}

function otherVariant(request: PlaygroundRequest, side: PlaygroundSide): Variant | null {
  return side === 'left' ? request.right : request.left;
}
