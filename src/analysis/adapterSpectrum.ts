/** @file The singular values of what an adapter adds to each weight, next to the weight itself and to another adapter. */
import { deltaOf } from '../core/adapters/merge.js';
import { energyRank, entropyRank } from '../core/adapters/effectiveRank.js';
import type { Adapter } from '../core/adapters/peft.js';
import { singularDirections, singularValues } from '../core/adapters/spectrum.js';
import { similarityByChance, subspaceSimilarity } from '../core/adapters/subspaces.js';
import type { LinearName } from '../core/models/linears.js';
import type { WeightStore } from '../core/models/weights.js';
import { linearPath } from '../core/models/weightSpec.js';
import { UserError } from '../core/errors.js';
import { readAdapterFolder, readAdapterFor } from '../files/adapterFolder.js';
import { openModel } from '../files/openModel.js';
import { t } from '../l10n/text.js';
import type {
  AdapterSpectrum,
  DirectionSimilarity,
  MatrixSpectrum,
  SimilarityGrids,
  SimilarityRequest,
  SpectrumRequest,
} from '../protocol/spectrum.js';
import type { Pace } from './pace.js';
import { rankLadder } from './rankLadder.js';

/** The share of the energy that counts as nearly all of it. */
export const nearlyAll = 0.9;

/** Throws UserError for what is no plain LoRA adapter, or one of another model; AbortError once the signal is aborted. */
export async function adapterSpectrum(request: SpectrumRequest, pace: Pace): Promise<AdapterSpectrum> {
  const base = request.model === null ? null : openModel(request.model).weights;
  try {
    const read = (folder: string) => (base ? readAdapterFor(base.config, folder) : readAdapterFolder(folder));
    const adapter = read(request.adapter);
    const other = request.other === null ? null : read(request.other);
    const matrices: MatrixSpectrum[] = [];
    const places = adaptedPlaces(adapter);
    for (const place of places) {
      matrices.push(matrixSpectrum(place, adapter, other, base));
      await pace(matrices.length, places.length);
    }
    return { ...request, rank: adapter.lora.r, matrices, ladder: ladderOf(adapter.lora.r, matrices) };
  } finally {
    base?.close();
  }
}

interface Place {
  readonly layer: number;
  readonly linear: LinearName;
}

function adaptedPlaces({ lora }: Adapter): Place[] {
  return lora.layers!.flatMap((layer) => lora.targetModules.map((linear) => ({ layer, linear })));
}

function matrixSpectrum(place: Place, adapter: Adapter, other: Adapter | null, base: WeightStore | null): MatrixSpectrum {
  const { loraA, loraB, scaling } = plainDelta(adapter, place)!;
  const values = singularValues(loraA, loraB, scaling);
  return {
    ...place,
    values,
    entropyRank: entropyRank(values),
    energyRank: energyRank(values, nearlyAll),
    norm: Math.hypot(...values),
    baseNorm: base && frobeniusNorm(base, `${linearPath(place.layer, place.linear)}.weight`),
    similarity: other && similarity(place, adapter, other),
  };
}

function plainDelta(adapter: Adapter, { layer, linear }: Place) {
  return deltaOf({ ...adapter, magnitudes: null, principalRanks: null }, 1, layer, linear);
}

/** Reads some rows at a time: whole heads, about 2²⁰ weights. */
function frobeniusNorm(weights: WeightStore, name: string): number {
  const [rows, columns] = weights.info(name)!.shape as [number, number];
  const { headDim } = weights.config;
  const step = Math.min(rows, headDim * Math.max(1, Math.floor(2 ** 20 / (columns * headDim))));
  const buffer = new Float32Array(step * columns);
  let squares = 0;
  for (let first = 0; first < rows; first += step) {
    const values = buffer.subarray(0, Math.min(step, rows - first) * columns);
    weights.readRows(name, first, values);
    for (let i = 0; i < values.length; i++) squares += values[i]! * values[i]!;
  }
  return Math.sqrt(squares);
}

function similarity(place: Place, adapter: Adapter, other: Adapter): DirectionSimilarity | null {
  const [own, others] = [directions(adapter, place), directions(other, place)];
  if (!own || !others) return null;
  const ranks = Math.min(energyRank(own.values, nearlyAll), energyRank(others.values, nearlyAll));
  if (ranks === 0) return null;
  const of = (side: 'left' | 'right') =>
    subspaceSimilarity(own[side].slice(0, ranks), others[side].slice(0, ranks))[ranks - 1]![ranks - 1]!;
  const byChance = (side: 'left' | 'right') => similarityByChance(ranks, ranks, own[side][0]!.length);
  return { ranks, input: of('right'), output: of('left'), inputByChance: byChance('right'), outputByChance: byChance('left') };
}

/** Null where the adapter leaves the weight as it is. */
function directions(adapter: Adapter, place: Place) {
  const delta = plainDelta(adapter, place);
  return delta && singularDirections(delta.loraA, delta.loraB, delta.scaling);
}

function ladderOf(rank: number, matrices: readonly MatrixSpectrum[]): AdapterSpectrum['ladder'] {
  const energy = (count: number) =>
    matrices.reduce((total, { values }) => total + values.slice(0, count).reduce((sum, value) => sum + value * value, 0), 0);
  const all = energy(rank);
  return rankLadder(rank).map((lower) => ({ rank: lower, energyKept: all === 0 ? 1 : energy(lower) / all }));
}

/** φ(i, j) of one weight of two adapters. Throws UserError if one of them leaves it as it is. */
export function similarityGrids({ adapter, other, layer, linear }: SimilarityRequest): SimilarityGrids {
  const [first, second] = [adapter, other].map((folder) => {
    const found = directions(readAdapterFolder(folder), { layer, linear: linear as LinearName });
    if (found && found.values.length > 0) return found;
    throw new UserError('adapter-mismatch', t`${folder} leaves ${linear} of layer ${layer} as it is.`);
  }) as [NonNullable<ReturnType<typeof directions>>, NonNullable<ReturnType<typeof directions>>];
  const grid = (side: 'left' | 'right') => subspaceSimilarity(first[side], second[side]).map((row) => [...row]);
  return { input: grid('right'), output: grid('left') };
}
