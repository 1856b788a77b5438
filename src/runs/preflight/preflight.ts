import type { PreflightReport } from '../../protocol/preflight.js';
import type { RunConfig } from '../../protocol/runConfig.js';
import { measureStep } from './measureStep.js';
import { prepareRun, silentPorts } from '../prepareRun.js';
import type { LoadedRun } from '../runLoader.js';

/**
 * What the run would do, based on one measured step; trains nothing and writes nothing. `note` hears what is being done, such as
 * how much of the data is downloaded.
 */
export async function preflight(config: RunConfig, note = silentPorts.note): Promise<PreflightReport> {
  const loaded = await prepareRun(config, { ...silentPorts, note });
  try {
    return await preflightReport(loaded, config);
  } finally {
    await loaded.dispose();
  }
}

/** The pre-flight report of a loaded run; times a step and leaves the run as it was. */
export async function preflightReport(loaded: LoadedRun, config: RunConfig): Promise<PreflightReport> {
  const { runner, memory, report, warnings, totalSteps, trainableParameters } = loaded;
  const { hostBytes, deviceBytes } = memory.estimate;
  const estimate = { ...(await measureStep(loaded, config)), expectedMemoryBytes: hostBytes, expectedDeviceBytes: deviceBytes };
  return { ...report, warnings, device: runner.description, trainableParameters, totalSteps, estimate };
}
