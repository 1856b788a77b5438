import { downloadModel, parseModel, planModel, type ModelPlan } from '../files/hub/downloadModel.js';
import { HubClient } from '../files/hub/hubClient.js';
import { HubError } from '../files/hub/hubErrors.js';
import { hubCacheFolder } from '../files/hub/hubSettings.js';
import type { HubModel, HubPlan } from '../protocol/backend.js';

/** Says what downloading a model would mean, or that the user has no access to it. */
export async function planHubModel(model: HubModel, signal: AbortSignal): Promise<HubPlan> {
  try {
    const { listing, files, ...sizes } = await plan(clientFor(model), model, signal);
    const { licence, repository } = listing;
    const shown = files.map(({ path, sizeBytes }) => ({ path, sizeBytes }));
    return { kind: 'plan', name: repository.name, licence, files: shown, ...sizes, folder: hubCacheFolder() };
  } catch (error) {
    if (!(error instanceof HubError) || error.accessPage === undefined) throw error;
    return { kind: 'refused', message: error.message, accessPage: error.accessPage };
  }
}

export async function downloadHubModel(
  model: HubModel,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<{ path: string }> {
  const client = clientFor(model);
  return { path: await downloadModel(client, await plan(client, model, signal), onProgress, signal) };
}

function clientFor({ token }: HubModel): HubClient {
  return new HubClient({ token: token ?? undefined });
}

function plan(client: HubClient, { name }: HubModel, signal: AbortSignal): Promise<ModelPlan> {
  const { repository, selection } = parseModel(name);
  return planModel(client, repository, selection, signal);
}
