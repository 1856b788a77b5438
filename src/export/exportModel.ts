import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { plainAdapter, type MergeableAdapter } from '../core/adapters/peft.js';
import { plainFromPissa } from '../core/adapters/pissa.js';
import { UserError } from '../core/errors.js';
import { isPlain } from '../core/models/frozenMatrix.js';
import type { WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import { readMergeableFor } from '../files/adapterFolder.js';
import { makeFolder, staged } from '../files/atomicWrite.js';
import { checkDiskSpace } from '../files/freeDisk.js';
import { loadModelForData, type LoadedModel } from '../files/loadModel.js';
import { exists } from '../files/reading.js';
import { t } from '../l10n/text.js';
import {
  dtypesOfTarget,
  type ExportDType,
  type ExportParity,
  type ExportProgress,
  type ExportRequest,
  type ExportResult,
  type ExportTarget,
} from '../protocol/export.js';
import { pace, type Advance, type ExportContext, type Written } from './exportContext.js';
import { ggufLora } from './ggufLora.js';
import { mergedFolder } from './mergedFolder.js';
import { mergedGguf } from './mergedGguf.js';
import { modelfilePath } from './modelfile.js';
import { checkParity, parityStepCount } from './parity.js';
import { peftFolder } from './peftFolder.js';
import { usesOf } from './uses.js';

type Report = (progress: ExportProgress) => void;

/** Threads for comparing: as many as help with a few dozen tokens. */
const threads = 2;

/**
 * Writes what the request asks for and compares it with base and adapter. Throws UserError, and an AbortError once `signal` is
 * aborted; either way nothing remains at `request.out`.
 */
export async function exportModel(request: ExportRequest, report: Report, signal: AbortSignal): Promise<ExportResult> {
  signal.throwIfAborted();
  const out = checkedOut(request);
  checkRequest(request);
  const model = loadModelForData(request.model);
  try {
    return await exportOf(model, request, out, report, signal);
  } finally {
    model.weights.close();
  }
}

async function exportOf(
  model: LoadedModel,
  request: ExportRequest,
  out: string,
  report: Report,
  signal: AbortSignal,
): Promise<ExportResult> {
  const { to, strength } = request;
  const adapter = request.adapter === null ? null : await readAdapter(model, request.adapter, report, signal);
  const dtype = request.dtype ?? usualDType(to, model.weights);
  const context: ExportContext = { model, adapter, strength, dtype, name: basename(out).replace(/\.gguf$/, '') };
  const planned = plan(to, context, request.adapter ?? '');
  checkDiskSpace(out, planned.sizeBytes);
  makeFolder(dirname(out));
  return staged(out, isFile(to), async (folder) => {
    await planned.write(folder, pace('writing', planned.sizeBytes, report, signal));
    const parity = await checked(planned, folder, context, pace('checking', parityStepCount(context), report, signal));
    const place = isFile(to) ? dirname(out) : out;
    return { out, ...filesOf(folder, place), dtype, parity, uses: usesOf(to, dirname(out), context) };
  });
}

/** PiSSA becomes plain LoRA, which takes a while. */
async function readAdapter(
  { weights }: LoadedModel,
  folder: string,
  report: Report,
  signal: AbortSignal,
): Promise<MergeableAdapter> {
  const adapter = readMergeableFor(weights.config, folder);
  if (adapter.principalRanks === null) return adapter;
  return plainFromPissa(adapter, weights, async (done, total) => {
    report({ stage: 'preparing', done, total });
    await eventLoopTurn();
    signal.throwIfAborted();
  });
}

async function checked(planned: Written, folder: string, context: ExportContext, advance: Advance): Promise<ExportParity> {
  const exported = planned.open(folder);
  try {
    return await checkParity(context, exported, threads, advance);
  } finally {
    if (exported.isOwn) exported.weights.close();
  }
}

function isFile(to: ExportTarget): boolean {
  return to === 'gguf' || to === 'gguf-lora';
}

/** The absolute path. Throws UserError if something is there already, or if its name does not suit the target. */
function checkedOut({ out, to }: ExportRequest): string {
  const path = resolve(out);
  const taken = [path, ...(to === 'gguf' ? [modelfilePath(path)] : [])].find(exists);
  if (taken !== undefined) {
    const message = t`${taken} exists already. Choose another name, or remove it first.`;
    throw new UserError('file-write-failed', message);
  }
  if (isFile(to) && !path.endsWith('.gguf')) {
    throw new UserError('config-invalid', t`${path} will be a GGUF file: let its name end in .gguf.`);
  }
  return path;
}

/** Throws UserError('config-invalid') for what no file of this kind can hold, saying what can. */
function checkRequest({ to, dtype, adapter, strength }: ExportRequest): void {
  const dtypes = dtypesOfTarget[to];
  const refuse = (message: string): never => {
    throw new UserError('config-invalid', message);
  };
  if (dtype !== null && !dtypes.includes(dtype)) {
    refuse(t`An export to "${to}" cannot be in ${dtype}: it can be in ${dtypes.join(', ')}. The quantized types need "gguf".`);
  }
  if (to === 'merged' || to === 'gguf') return;
  if (adapter === null)
    refuse(t`An export to "${to}" is an adapter alone, and there is none here. Export to "merged" or "gguf".`);
  if (strength === 0) refuse(t`With strength 0 nothing of the adapter is left. Choose a larger strength.`);
}

/** Throws UserError for an adapter that the target cannot hold; `folder` is where it is. */
function plan(to: ExportTarget, context: ExportContext, folder: string): Written {
  switch (to) {
    case 'merged':
      return mergedFolder(context);
    case 'gguf':
      return mergedGguf(context);
    case 'gguf-lora':
      return ggufLora(context, plainAdapter(context.adapter!, folder));
    case 'peft':
      return peftFolder(context, plainAdapter(context.adapter!, folder));
  }
}

/** The type that the linears are stored in, or the closest one that the target holds. */
function usualDType(to: ExportTarget, weights: WeightStore): ExportDType {
  if (to === 'gguf-lora' || to === 'peft') return 'f32';
  const { name } = weightTable(weights.config).ofLayer(0, 'gate_proj.weight');
  const { storedType } = weights.info(name)!;
  if (!isPlain(storedType)) return to === 'gguf' ? 'q8_0' : 'f16';
  return ({ F32: 'f32', F16: 'f16', BF16: 'bf16' } as const)[storedType];
}

/** The files that will be in `place` once the folder's content is there. */
function filesOf(folder: string, place: string): Pick<ExportResult, 'files' | 'sizeBytes'> {
  const names = readdirSync(folder);
  return {
    files: names.map((name) => join(place, name)),
    sizeBytes: names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0),
  };
}
