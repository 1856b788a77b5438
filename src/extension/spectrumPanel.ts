import * as vscode from 'vscode';
import type { AdapterInfo } from '../protocol/backend.js';
import type { ShownSpectrum } from '../protocol/views/spectrum.js';
import { baseOf } from '../protocol/baseOf.js';
import { OpenSpectrum, type SpectrumServices } from './openSpectrum.js';
import { WebviewPanels } from './webviews/webviewPanels.js';

/** Panels that show what an adapter has learned. */
export class SpectrumPanels extends WebviewPanels<ShownSpectrum | null, OpenSpectrum> {
  constructor(private readonly services: SpectrumServices) {
    super('spectrum', vscode.l10n.t('Adapter Spectrum'), services);
  }

  /** Nothing is shown if the user cancels. */
  async show(adapter: AdapterInfo): Promise<void> {
    const shown = await readSpectrum(this.services, adapter, null);
    if (shown) this.create(shown);
  }

  /** The page itself remembers which adapter it showed. */
  protected restored(): null {
    return null;
  }

  protected page(panel: vscode.WebviewPanel, shown: ShownSpectrum | null): OpenSpectrum {
    return new OpenSpectrum(panel, this.services, shown, (adapter, other) => readSpectrum(this.services, adapter, other));
  }
}

async function readSpectrum(
  { work, catalog }: SpectrumServices,
  adapter: AdapterInfo,
  other: AdapterInfo | null,
): Promise<ShownSpectrum | undefined> {
  const request = {
    adapter: adapter.path,
    model: baseOf(adapter, catalog.models)?.path ?? null,
    other: other && other.path,
  };
  const title = vscode.l10n.t('Decomposing {0}', adapter.name);
  const spectrum = await work.run('loraWorkbench/adapters/spectrum', request, title);
  return spectrum && { name: adapter.name, otherName: other && other.name, spectrum, losses: null, intruders: [] };
}
