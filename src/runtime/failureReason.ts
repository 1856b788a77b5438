import { UserError } from '../core/errors.js';

/**
 * What ONNX Runtime says went wrong, to be put into a sentence: its first line, without the full stop and without the node, the
 * place in its source and the condition that it begins with.
 */
export function failureReason(error: unknown): string {
  const cause = error instanceof UserError && error.cause !== undefined ? error.cause : error;
  const firstLine = String(cause instanceof Error ? cause.message : cause).split('\n')[0]!;
  return firstLine
    .replace(/^.*Status Message: /, '')
    .replace(/^\S+:\d+ /, '')
    .replace(/^(?:\w+ )?onnxruntime::.*?\)(?: const)?(?:::<lambda.*?>)? /, '')
    .replace(/^.* was false\. /, '')
    .replace(/[.\s]+$/, '');
}
