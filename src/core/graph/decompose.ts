import { attentionForward } from './attention.js';
import type { GraphBuilder } from './builder.js';
import { dequantized } from './dequantize.js';
import { isOp, rebuilt, rewrite } from './program.js';
import type { Program, Value } from './types.js';

/** Keeps the scale of a row of zeros above zero. */
const smallestScale = 1e-30;

/** Replaces operations that no execution provider has with primitives; what forward and backward share becomes one value. */
export function decompose(program: Program, b: GraphBuilder): Program {
  return rewrite(program, b, (value, inputs) => {
    if (isOp(value, 'attention')) return attentionForward(b, inputs, value.attributes);
    if (isOp(value, 'swiglu')) return b.multiply(b.silu(inputs[0]!), inputs[1]!);
    if (isOp(value, 'dequantize')) return dequantized(b, inputs, value.attributes.bits);
    if (isOp(value, 'integerMatmul')) return integerMatmul(b, inputs);
    // The largest probability is 1 / Σ exp(x − max), and the backward pass needs the probabilities anyway.
    if (isOp(value, 'logSumExp')) {
      // The second operand is computed first (workingSet.ts), so the softmax is the last to read x and can overwrite it.
      return b.add(b.negate(b.log(b.maxLast(b.softmax(inputs[0]!)))), b.maxLast(inputs[0]!));
    }
    return rebuilt(b, value, inputs);
  });
}

/** Rounds x row by row; values that several products read are rounded once. */
function integerMatmul(b: GraphBuilder, [x, codes, scales, , , smoothing]: readonly Value[]): Value {
  const smooth = smoothing ? b.multiply(x!, smoothing) : x!;
  const scale = b.add(b.scale(b.largestLast(smooth), 1 / 127), b.scalar(smallestScale)); // [rows, 1]
  return b.multiply(b.integerProduct(b.roundRows(smooth, scale), codes!, scales!, { zeroPoint: 128, factor: 1 }), scale);
}
