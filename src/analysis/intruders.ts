/** @file Intruder dimensions of one weight. */
import { directionsLookedAt, intruderCosine, tunedDirections } from '../core/adapters/intruders.js';
import { deltaOf, mergeRows } from '../core/adapters/merge.js';
import type { LinearName } from '../core/models/linears.js';
import { linearPath } from '../core/models/weightSpec.js';
import { UserError } from '../core/errors.js';
import { readAdapterFor } from '../files/adapterFolder.js';
import { openModel } from '../files/openModel.js';
import { t } from '../l10n/text.js';
import type { IntruderReport, IntruderRequest } from '../protocol/spectrum.js';
import type { Pace } from './pace.js';

/**
 * Reads the weight and compares the leading directions of W + ΔW with all of W's: seconds for a matrix of SmolLM2-135M, minutes
 * for one of a 1B model. Throws UserError if the adapter leaves the weight as it is.
 */
export async function findIntruders(request: IntruderRequest, pace: Pace): Promise<IntruderReport> {
  const { weights } = openModel(request.model);
  try {
    const { layer } = request;
    const linear = request.linear as LinearName;
    const adapter = readAdapterFor(weights.config, request.adapter);
    const delta = deltaOf({ ...adapter, magnitudes: null, principalRanks: null }, 1, layer, linear);
    if (!delta) throw new UserError('adapter-mismatch', t`${request.adapter} leaves ${linear} of layer ${layer} as it is.`);
    const base = weights.readFloat32(`${linearPath(layer, linear)}.weight`);
    const tuned = base.slice();
    mergeRows(tuned, 0, delta);
    const columns = delta.loraA.shape[1]!;
    const directions = await tunedDirections(base, tuned, columns, directionsLookedAt, everyFewMilliseconds(pace));
    const intruders = directions.filter(({ cosine }) => cosine < intruderCosine).length;
    return { layer, linear, directions, intruders, threshold: intruderCosine };
  } finally {
    weights.close();
  }
}

/** How long it will take is known only at the end, so no share is told. */
function everyFewMilliseconds(pace: Pace): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < 50) return;
    await pace(0, 0);
    last = performance.now();
  };
}
