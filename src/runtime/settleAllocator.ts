import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GraphBuilder } from '../core/graph/builder.js';
import { commonTarget, lowerToOnnx } from '../core/graph/lower.js';
import { makeProgram } from '../core/graph/program.js';

/** glibc's DEFAULT_MMAP_THRESHOLD_MAX is 32 MiB; larger blocks do not affect the threshold. */
const blockBytes = 31 * 2 ** 20;

let settled: Promise<void> | undefined;

/**
 * Once per process, makes ONNX Runtime allocate and free one large block. glibc's malloc returns freed memory to the system above
 * a threshold of twice the largest block freed so far (mallopt(3)); if a program's buffers are about that large, every run gets
 * its memory zeroed anew, page by page. After this block the threshold is at its maximum, 62 MiB (docs/decisions/0004).
 */
export function settleAllocator(): Promise<void> {
  settled ??= process.platform === 'linux' ? freeLargeBlock() : Promise.resolve();
  settled.catch(() => (settled = undefined)); // enough memory may be free for the next program
  return settled;
}

async function freeLargeBlock(): Promise<void> {
  const b = new GraphBuilder();
  const block = b.broadcastTo(b.input('x', []), [blockBytes / 4]);
  const model = lowerToOnnx(makeProgram('block', { y: b.reduceSum(block, [0]) }), commonTarget);
  const session = await InferenceSession.create(model, { enableCpuMemArena: false, intraOpNumThreads: 1 });
  await session.run({ x: new Tensor('float32', new Float32Array(1), []) });
  await session.release();
}
