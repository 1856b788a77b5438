/** @file Sessions whose weights are mapped from files, as ONNX Runtime has packed them (docs/decisions/0033). */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { open, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { env, InferenceSession } from 'onnxruntime-node';
import { movedExternalData } from '../core/formats/onnxExternalData.js';
import { matrixForm, ofBlocks, type DecodePrecision } from '../core/models/matrixForm.js';
import type { WeightStore } from '../core/models/weights.js';
import type { SavedSessions } from './device.js';
import { collectGarbage } from './memory/collectGarbage.js';
import { decodeWeightBytes } from './memory/decoding.js';

/** Encodes a program as ONNX, with its weights or without. */
export type EncodeModel = (withConstants: boolean) => Promise<Uint8Array>;

/** Raised when the same weights give other constants. */
const version = 1;

const [modelFile, weightsFile] = ['model.onnx', 'weights.bin'] as const;
/** Used in between. */
const [givenFile, programFile, unalignedFile] = ['given.onnx', 'pack.cjs', 'unaligned.bin'] as const;

/** A page: certainly enough for any vector, and what can be mapped. */
const alignment = 4096;

/**
 * A session whose files are mapped: memory holds only what is used, and processes share it. The first time, the files are made.
 * Undefined if there is no room for them, or they cannot be made.
 */
export async function savedSession(
  saved: SavedSessions,
  encode: EncodeModel,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession | undefined> {
  const name = createHash('sha256')
    .update(await encode(false))
    .digest('hex')
    .slice(0, 32);
  const known = saved.find(name);
  const session = known === undefined ? undefined : await mapped(known, options);
  if (session) return session;
  if (known !== undefined) saved.remove(name);
  const added = await saved.add(name, async (folder) => {
    await writeFile(join(folder, givenFile), await encode(true));
    collectGarbage(); // what has been written
    await pack(folder, options);
    await align(folder);
  });
  return added === undefined ? undefined : mapped(added, options);
}

/**
 * What else decides how the same weights are saved. On a processor that packs otherwise, ONNX Runtime would notice, and hold the
 * weights in memory.
 */
export function savedFor(): readonly string[] {
  return [String(version), env.versions.common, process.platform, process.arch, cpus()[0]?.model ?? ''];
}

/** An estimate of what a model's sessions take: the weights as they are held, and as ONNX Runtime packs them, which is more. */
export function savedBytes(weights: WeightStore, dtype: DecodePrecision): number {
  return 2.3 * decodeWeightBytes(weights, (matrix) => matrixForm(matrix, ofBlocks(dtype)));
}

/** Undefined if they cannot be read. */
function mapped(folder: string, options: InferenceSession.SessionOptions): Promise<InferenceSession | undefined> {
  const optimized = { ...options, graphOptimizationLevel: 'disabled' } as const;
  return InferenceSession.create(join(folder, modelFile), optimized).catch(() => undefined);
}

/** In a process of its own, which gives all the memory back that it takes. */
async function pack(folder: string, options: InferenceSession.SessionOptions): Promise<void> {
  const saving: InferenceSession.SessionOptions = {
    ...options,
    // What lies above is for convolutions, and ONNX Runtime warns of saving it.
    graphOptimizationLevel: 'extended',
    optimizedModelFilePath: join(folder, modelFile),
    extra: {
      session: {
        ...(options.extra?.['session'] as Record<string, string> | undefined),
        optimized_model_external_initializers_file_name: unalignedFile,
        optimized_model_external_initializers_min_size_in_bytes: '1024',
        save_external_prepacked_constant_initializers: '1',
      },
    },
  };
  const [given, program] = [join(folder, givenFile), join(folder, programFile)];
  await writeFile(
    program,
    `const { InferenceSession } = require(${JSON.stringify(require.resolve('onnxruntime-node'))});
    InferenceSession.create(${JSON.stringify(given)}, ${JSON.stringify(saving)}).then(() => process.exit(0), () => process.exit(1));`,
  );
  const environment = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  await promisify(execFile)(process.execPath, [program], { env: environment, windowsHide: true });
  await rm(given);
  await rm(program);
}

/** ONNX Runtime aligns only blobs above 1 MiB, and its fp32 product reads packed weights with aligned loads. */
async function align(folder: string): Promise<void> {
  const [modelPath, unalignedPath] = [join(folder, modelFile), join(folder, unalignedFile)];
  const blobs: Blob[] = [];
  let end = 0;
  const model = movedExternalData(await readFile(modelPath), weightsFile, (from, length) => {
    const to = Math.ceil(end / alignment) * alignment;
    blobs.push({ from, to, length });
    end = to + length;
    return to;
  });
  await writeFile(modelPath, model, { flush: true });
  const [unaligned, weights] = [await open(unalignedPath), await open(join(folder, weightsFile), 'w')];
  try {
    for (const blob of blobs) await copy(unaligned, weights, blob);
    await weights.sync();
  } finally {
    await unaligned.close();
    await weights.close();
  }
  await rm(unalignedPath);
}

interface Blob {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

async function copy(source: FileHandle, target: FileHandle, { from, to, length }: Blob): Promise<void> {
  const buffer = Buffer.alloc(Math.min(length, 2 ** 24));
  for (let done = 0; done < length;) {
    const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, length - done), from + done);
    if (bytesRead === 0) throw new Error('internal: the saved weights end early');
    for (let written = 0; written < bytesRead;)
      written += (await target.write(buffer, written, bytesRead - written, to + done + written)).bytesWritten;
    done += bytesRead;
  }
}
