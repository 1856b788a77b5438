import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { addLosses, energyKept, relativeError, type TruncationLoss } from '../core/adapters/spectrum.js';
import { lossByLinear, weightedSum, withLowerRank, type LinearLoss, type Term } from '../core/adapters/weightedSum.js';
import { UserError } from '../core/errors.js';
import { readAdapterFolder, writeAdapterFolder } from '../files/adapterFolder.js';
import { replaceFolderAtomically } from '../files/atomicWrite.js';
import { t } from '../l10n/text.js';
import { modelName } from '../protocol/modelName.js';
import type { MergeProgress, MergeRequest, MergeResult, RankLoss } from '../protocol/mergeAdapters.js';

/** Adds adapters and writes the sum. Throws UserError, and an AbortError once `signal` is aborted; then nothing is written. */
export async function mergeAdapters(
  request: MergeRequest,
  report: (progress: MergeProgress) => void,
  signal: AbortSignal,
): Promise<MergeResult> {
  const out = resolve(request.out);
  if (existsSync(out))
    throw new UserError('file-write-failed', t`${out} exists already. Choose another name, or remove it first.`);
  const terms = request.adapters.map(({ path, weight }) => ({ name: path, weight, adapter: readAdapterFolder(path) }));
  const exact = weightedSum(terms);
  const afterLinear = async (done: number, total: number) => {
    report({ done, total });
    await eventLoopTurn();
    signal.throwIfAborted();
  };
  const isTruncated = request.rank !== null && request.rank < exact.lora.r;
  const { losses, ...sum } = isTruncated
    ? await withLowerRank(exact, request.rank, afterLinear)
    : { ...exact, losses: [] as readonly LinearLoss[] };
  const baseModel = terms.find(({ adapter }) => adapter.baseModel !== null)?.adapter.baseModel ?? null;
  replaceFolderAtomically(out, (folder) => writeAdapterFolder(folder, { ...sum, baseModel }, 0));
  return {
    out,
    baseModel,
    rank: sum.lora.r,
    exactRank: exact.lora.r,
    loss: isTruncated ? lossOf(losses) : null,
    warning: differentBases(terms),
  };
}

function lossOf(losses: readonly LinearLoss[]): MergeResult['loss'] {
  const byLinear = lossByLinear(losses).map(({ linear, ...loss }) => ({ linear, ...rankLoss(loss) }));
  return { ...rankLoss(addLosses(losses)), byLinear };
}

function rankLoss(loss: TruncationLoss): RankLoss {
  return { relativeError: relativeError(loss), energyKept: energyKept(loss) };
}

/** Only a warning, because the same base may have been in a folder or a file of another name. */
function differentBases(terms: readonly Term[]): string | null {
  const [first, ...others] = terms.filter(({ adapter }) => adapter.baseModel !== null);
  const other = others.find(({ adapter }) => modelName(adapter.baseModel!) !== modelName(first!.adapter.baseModel!));
  if (!first || !other) return null;
  return t`${first.name} was trained on ${first.adapter.baseModel!} and ${other.name} on ${other.adapter.baseModel!}. The sum makes sense only if they are the same model.`;
}
