import type { UserError } from '../../core/errors.js';
import type { TextModel } from '../../core/generate/textModel.js';
import type { StepRunner } from '../../core/train/stepRunner.js';
import { guarded } from '../guardedRunner.js';

/** How V8 and ONNX Runtime's CPU and WebGPU providers report that an allocation failed. */
const allocationFailures =
  /array buffer allocation failed|bad_alloc|bad allocation|failed to allocate|out of memory|cannot allocate memory/i;

/**
 * What ONNX Runtime's WebGPU provider throws after a failed allocation, when it uses the buffer that could not be created. Other
 * bugs may cause the same message.
 */
const missingBuffer = /\[Invalid Buffer.*is invalid due to a previous error/i;

export function saysOutOfMemory(error: unknown): boolean {
  return error instanceof Error && allocationFailures.test(error.message);
}

function maybeOutOfMemory(error: unknown): boolean {
  return saysOutOfMemory(error) || (error instanceof Error && missingBuffer.test(error.message));
}

/** The same runner, except that when memory runs out it throws the error that `explain` returns. */
export function explainingOutOfMemory(runner: StepRunner, explain: (cause: unknown) => UserError): StepRunner {
  return guarded(runner, (work) => explained(work, explain));
}

/** The same for a model that generates text. */
export function textExplainingOutOfMemory(model: TextModel, explain: (cause: unknown) => UserError): TextModel {
  return {
    get description() {
      return model.description;
    },
    contextLength: model.contextLength,
    generate: (request, onToken) => explained(() => model.generate(request, onToken), explain),
    logits: (...request) => explained(() => model.logits(...request), explain),
    logprobs: (...request) => explained(() => model.logprobs(...request), explain),
    dispose: () => model.dispose(),
  };
}

export async function explained<Result>(work: () => Promise<Result>, explain: (cause: unknown) => UserError): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw maybeOutOfMemory(error) ? explain(error) : error;
  }
}
