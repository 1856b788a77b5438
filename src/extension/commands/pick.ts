import type { AdapterInfo, RunSummary } from '../../protocol/backend.js';
import type { Catalog } from '../catalog.js';
import { chooseOne, chooseSome, type Choice } from '../ask.js';
import { describeAdapter } from '../views/catalogTrees.js';
import { describeRun } from '../views/runsTree.js';

/** The only run there is, or the one the user chooses. */
export async function pickRun(runs: readonly RunSummary[], placeHolder: string): Promise<RunSummary | undefined> {
  return runs.length === 1 ? runs[0] : chooseOne(runs.map(runChoice), placeHolder);
}

export async function pickRuns(
  runs: readonly RunSummary[],
  picked: string | undefined,
  placeHolder: string,
): Promise<RunSummary[]> {
  const choices = runs.map((run) => ({ ...runChoice(run), picked: run.runId === picked }));
  return chooseSome(choices, placeHolder);
}

export async function pickAdapter(catalog: Catalog, placeHolder: string): Promise<AdapterInfo | undefined> {
  const { adapters, models } = catalog;
  if (adapters.length === 1) return adapters[0];
  const choices = adapters.map((adapter) => ({
    label: adapter.name,
    description: describeAdapter(adapter, models),
    detail: adapter.path,
    value: adapter,
  }));
  return chooseOne(choices, placeHolder);
}

function runChoice(run: RunSummary): Choice<RunSummary> {
  return { label: run.name, description: describeRun(run), value: run };
}
