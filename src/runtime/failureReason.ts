import { UserError } from '../core/errors.js';

/**
 * ONNX Runtime's error message, to be put into a sentence: its first line without the full stop, and without the leading node,
 * source location and condition.
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
