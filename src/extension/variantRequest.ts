import type { GenerateParams, Prompt } from '../protocol/backend.js';
import { playgroundSides, type PlaygroundRequest, type PlaygroundSide, type Variant } from '../protocol/views/playground.js';
import type { FilePrompt } from './promptFile.js';

/** The columns that answer, in order: the engine computes one at a time. */
export function askedSides(request: Pick<PlaygroundRequest, PlaygroundSide>): readonly PlaygroundSide[] {
  return playgroundSides.filter((side) => request[side] !== null);
}

/** The request to the backend for one column. */
export function variantRequest(
  request: PlaygroundRequest,
  side: PlaygroundSide,
  prompt: FilePrompt,
): Omit<GenerateParams, 'streamId'> {
  const { model, template, sampling, maxNewTokens } = request;
  const { adapter, strength } = request[side]!;
  // Next to an adapter, the base gets the same prompt in the template that the adapter was trained with.
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
