import type { AdapterInfo, RunSummary } from '../../protocol/backend.js';
import type { Catalog } from '../catalog.js';
import { chooseOne, chooseSome, type Choice } from '../ask.js';
import { describeAdapter } from '../views/catalogTrees.js';
import { describeRun } from '../views/runsTree.js';

/** The only run there is, or the one the user chooses. */
export async function pickRun(runs: readonly RunSummary[], placeHolder: string): Promise<RunSummary | undefined> {
  return runs.length === 1 ? runs[0] : chooseOne(runChoices(runs), placeHolder);
}

export async function pickRuns(
  runs: readonly RunSummary[],
  picked: string | undefined,
  placeHolder: string,
): Promise<RunSummary[]> {
  const choices = runChoices(runs).map((choice) => ({ ...choice, picked: choice.value.runId === picked }));
  return chooseSome(choices, placeHolder);
}

/** The only adapter there is, or the one the user chooses. */
export async function pickAdapter(
  catalog: Catalog,
  placeHolder: string,
  adapters = catalog.adapters,
): Promise<AdapterInfo | undefined> {
  return adapters.length === 1 ? adapters[0] : chooseOne(adapterChoices(catalog, adapters), placeHolder);
}

export async function pickAdapters(
  catalog: Catalog,
  adapters: readonly AdapterInfo[],
  picked: AdapterInfo | undefined,
  placeHolder: string,
): Promise<AdapterInfo[]> {
  const choices = adapterChoices(catalog, adapters).map((choice) => ({ ...choice, picked: choice.value === picked }));
  return chooseSome(choices, placeHolder);
}

function adapterChoices({ models }: Catalog, adapters: readonly AdapterInfo[]): Choice<AdapterInfo>[] {
  return adapters.map((adapter) => ({
    label: adapter.name,
    description: describeAdapter(adapter, models),
    detail: adapter.path,
    value: adapter,
  }));
}

function runChoices(runs: readonly RunSummary[]): Choice<RunSummary>[] {
  return runs.map((run) => ({ label: run.name, description: describeRun(run, runs), value: run }));
}
