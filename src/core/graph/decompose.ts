import { attentionForward } from './attention.js';
import type { GraphBuilder } from './builder.js';
import { dequantized } from './dequantize.js';
import { isOp, rebuilt, rewrite } from './program.js';
import type { Program } from './types.js';

/** Replaces operations that no execution provider has with primitives; what forward and backward share becomes one value. */
export function decompose(program: Program, b: GraphBuilder): Program {
  return rewrite(program, b, (value, inputs) => {
    if (isOp(value, 'attention')) return attentionForward(b, inputs, value.attributes);
    if (isOp(value, 'swiglu')) return b.multiply(b.silu(inputs[0]!), inputs[1]!);
    if (isOp(value, 'dequantize')) return dequantized(b, inputs, value.attributes.bits);
    // The largest probability is 1 / Σ exp(x − max), and the backward pass needs the probabilities anyway.
    if (isOp(value, 'logSumExp')) {
      // The second operand is computed first (workingSet.ts), so the softmax is the last to read x and can overwrite it.
      return b.add(b.negate(b.log(b.maxLast(b.softmax(inputs[0]!)))), b.maxLast(inputs[0]!));
    }
    return rebuilt(b, value, inputs);
  });
}
