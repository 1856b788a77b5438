/** @file Rewrites that produce fewer, larger nodes. Each preserves the computed value. */
import { sameShape } from '../shape.js';
import { GraphBuilder } from './builder.js';
import { decompose } from './decompose.js';
import { isOp, rebuilt, rewrite, useCounts, valuesOf } from './program.js';
import type { Program, Value } from './types.js';

/** Turns a program as built by the model and the gradient rules into one that is efficient to run. */
export function optimize(program: Program): Program {
  const builder = new GraphBuilder();
  const simple = joinPieces(shareSigmoids(decompose(program, builder), builder), builder);
  return fuseSums(fuseScales(thinResultsLast(scaleRowsLater(simple, builder), builder), builder), builder);
}

/** silu(x) → x ⊙ σ(x) if σ(x) is computed anyway, as in the derivative. */
function shareSigmoids(program: Program, b: GraphBuilder): Program {
  const known = new Set(valuesOf(program).flatMap((value) => (isOp(value, 'sigmoid') ? value.inputs : [])));
  return rewrite(program, b, (value, inputs) =>
    isOp(value, 'silu') && known.has(value.inputs[0]!)
      ? b.multiply(inputs[0]!, b.sigmoid(inputs[0]!))
      : rebuilt(b, value, inputs),
  );
}

/** [a 0] + [0 b] → [a b]: such sums arise in the gradient of a value that is sliced. */
function joinPieces(program: Program, b: GraphBuilder): Program {
  return rewrite(program, b, (value, inputs) => {
    const [first, second] = inputs as [Value, Value];
    const areConcats = isOp(value, 'add') && isOp(first, 'concat') && isOp(second, 'concat');
    return (areConcats && joined(b, first, second)) || rebuilt(b, value, inputs);
  });
}

function joined(b: GraphBuilder, first: Value<'concat'>, second: Value<'concat'>): Value | undefined {
  const { axis } = first.attributes;
  if (second.attributes.axis !== axis || !sameShape(first.shape, second.shape)) return undefined;
  const pieces = [first, second].flatMap(({ inputs }) => {
    let start = 0;
    return inputs.map((piece) => ({ piece, start, end: (start += piece.shape[axis]!) }));
  });
  const filled = pieces.filter(({ piece }) => !isZero(piece)).sort((p, q) => p.start - q.start);
  const row: Value[] = [];
  let end = 0;
  for (const next of filled) {
    if (next.start < end) return undefined;
    row.push(...b.padding(first, axis, next.start - end), next.piece);
    ({ end } = next);
  }
  return b.concat([...row, ...b.padding(first, axis, first.shape[axis]! - end)], axis);
}

/** (P ⊙ d)·W → (P·W) ⊙ d for a column d: the factor is applied to the narrower of the two matrices. */
function scaleRowsLater(program: Program, b: GraphBuilder): Program {
  return rewrite(program, b, (value, inputs) => {
    if (isOp(value, 'matmul') && isOp(inputs[0]!, 'multiply') && !value.attributes.transposeA) {
      const [x, column] = inputs[0].inputs as [Value, Value];
      if (column.shape.length === 2 && column.shape[1] === 1 && x.shape.length === 2 && value.shape[1]! < x.shape[1]!) {
        return b.multiply(b.apply('matmul', [x, inputs[1]!], value.attributes), column);
      }
    }
    return rebuilt(b, value, inputs);
  });
}

/** Aᵀ·B with few columns → (Bᵀ·A)ᵀ: reads the long matrix as it is stored and transposes only the small result. */
function thinResultsLast(program: Program, b: GraphBuilder): Program {
  return rewrite(program, b, (value, inputs) => {
    if (isOp(value, 'matmul') && value.shape.length === 2 && value.attributes.transposeA) {
      const [rows, columns] = value.shape as [number, number];
      const { transposeB, alpha } = value.attributes;
      if (columns * 4 <= rows) return b.transpose(b.matmul(inputs[1]!, inputs[0]!, { transposeA: !transposeB, alpha }), [1, 0]);
    }
    return rebuilt(b, value, inputs);
  });
}

/** c·(α·A·B) → (cα)·A·B for a constant c: saves a pass over the product. */
function fuseScales(program: Program, b: GraphBuilder): Program {
  const uses = useCounts(program);
  return rewrite(program, b, (value, inputs) => {
    if (!isOp(value, 'multiply')) return rebuilt(b, value, inputs);
    const [product, factor] = isOp(inputs[1]!, 'matmul') ? [inputs[1], inputs[0]!] : [inputs[0]!, inputs[1]!];
    const original = value.inputs.find((input) => isOp(input, 'matmul'));
    if (isOp(product, 'matmul') && isOp(factor, 'constant') && factor.shape.length === 0 && uses.get(original!) === 1) {
      const { alpha, ...transposes } = product.attributes;
      return b.matmul(product.inputs[0]!, product.inputs[1]!, { ...transposes, alpha: alpha * factor.attributes.values[0]! });
    }
    return rebuilt(b, value, inputs);
  });
}

/** C + α·A·B → gemm(A, B, C), and C + rows scattered onto zeros → rows scattered onto C: saves a node and a pass. */
function fuseSums(program: Program, b: GraphBuilder): Program {
  const uses = useCounts(program);
  return rewrite(program, b, (value, inputs) => {
    if (!isOp(value, 'add')) return rebuilt(b, value, inputs);
    const fusable = [0, 1].filter((i) => uses.get(value.inputs[i]!) === 1 && sameShape(inputs[i]!.shape, value.shape));
    // Adding onto C costs a copy of C, which is negligible next to a long product but not next to a rank-8 one.
    const longestFirst = fusable.sort((i, j) => innerLength(inputs[j]!) - innerLength(inputs[i]!));
    for (const i of longestFirst) {
      const fused = fuseSum(b, inputs[i]!, inputs[1 - i]!);
      if (fused) return fused;
    }
    return rebuilt(b, value, inputs);
  });
}

function innerLength(value: Value): number {
  return isOp(value, 'matmul') ? value.inputs[0]!.shape.at(value.attributes.transposeA ? -2 : -1)! : 0;
}

function fuseSum(b: GraphBuilder, product: Value, addend: Value): Value | undefined {
  if (isOp(product, 'matmul') && product.shape.length === 2 && addend.shape.length <= 2) {
    return b.gemm(product.inputs[0]!, product.inputs[1]!, addend, product.attributes);
  }
  if (isOp(product, 'scatterAddRows') && isZero(product.inputs[0]!) && sameShape(addend.shape, product.shape)) {
    return b.scatterAddRows(addend, product.inputs[1]!, product.inputs[2]!);
  }
  return undefined;
}

function isZero(value: Value): boolean {
  if (isOp(value, 'broadcastTo')) return isZero(value.inputs[0]!);
  return isOp(value, 'constant') && value.attributes.values.every((x) => x === 0);
}
