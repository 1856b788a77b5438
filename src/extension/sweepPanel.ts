import * as vscode from 'vscode';
import { ConfigDocument } from './configDocument.js';
import { OpenSweep, type SweepContent } from './openSweep.js';
import { readSweepReport } from './sweepFollower.js';
import type { RunViewerServices } from './webviews/runViewerSession.js';
import { WebviewPanels } from './webviews/webviewPanels.js';

export interface SweepServices extends RunViewerServices {
  /** Location of the config that is started in the Fine-Tune panel. */
  readonly draft: vscode.Uri;
}

/** Panels that plan sweeps and show how they stand. */
export class SweepPanels extends WebviewPanels<SweepContent, OpenSweep> {
  constructor(private readonly services: SweepServices) {
    super('sweep', vscode.l10n.t('Sweep'), services);
  }

  /** Plans a sweep whose runs share the settings of a run.json; that of the Fine-Tune panel if none is named. */
  async plan(uri: vscode.Uri = this.services.draft): Promise<void> {
    await this.services.backend.ready();
    this.create({ kind: 'plan', document: await this.document(uri) });
  }

  /** Shows how a sweep stands now. */
  async show(sweepId: string): Promise<void> {
    const open = this.find((page) => page.sweepId === sweepId);
    if (open) {
      open.panel.reveal();
      return open.page.refresh();
    }
    this.create({ kind: 'report', report: await readSweepReport(this.services, sweepId) });
  }

  /** The page itself remembers what it showed. */
  protected restored(): SweepContent {
    return { kind: 'nothing' };
  }

  protected page(panel: vscode.WebviewPanel, content: SweepContent): OpenSweep {
    return new OpenSweep(panel, this.services, content, (uri) => this.document(uri));
  }

  private document(uri: vscode.Uri): Promise<ConfigDocument> {
    const isDraft = uri.toString() === this.services.draft.toString();
    return isDraft ? ConfigDocument.openDraft(uri) : ConfigDocument.open(uri);
  }
}
