import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GraphBuilder } from '../core/graph/builder.js';
import { commonTarget, lowerToOnnx } from '../core/graph/lower.js';
import { makeProgram } from '../core/graph/program.js';

/** glibc's DEFAULT_MMAP_THRESHOLD_MAX is 32 MiB: of a larger block it takes no notice. */
const blockBytes = 31 * 2 ** 20;

let settled: Promise<void> | undefined;

/**
 * Once in a process, has ONNX Runtime allocate and free one large block. glibc's malloc returns freed memory to the system above a
 * threshold, twice the largest block freed so far (mallopt(3)); where a program's buffers lie about there, each run has its memory
 * zeroed anew, page by page. After this block the threshold is its highest, 62 MiB (docs/decisions/0004).
 */
export function settleAllocator(): Promise<void> {
  settled ??= process.platform === 'linux' ? freeLargeBlock() : Promise.resolve();
  settled.catch(() => (settled = undefined)); // memory that is short now may be there for the next program
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
