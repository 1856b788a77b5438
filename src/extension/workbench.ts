import type { BackendClient } from './backendClient.js';
import type { Catalog } from './catalog.js';
import type { CompletionReportPanels } from './completionReportPanel.js';
import type { CompletionStatisticsPanels } from './completionStatisticsPanel.js';
import type { Endpoint } from './endpoint.js';
import type { InlineCompletion } from './inlineCompletion.js';
import type { HubToken } from './hubToken.js';
import type { FineTunePanels } from './fineTunePanel.js';
import type { LeakReportPanels } from './leakReportPanel.js';
import type { LiveStatistics } from './live/liveStatistics.js';
import type { MonitorView } from './views/monitorView.js';
import type { PlaygroundPanels } from './playgroundPanel.js';
import type { ReportDocuments } from './reportDocuments.js';
import type { Runs } from './runs.js';
import type { SpectrumPanels } from './spectrumPanel.js';
import type { SweepPanels } from './sweepPanel.js';
import type { Work } from './work.js';

/** Everything a command may need. Created once, in extension.ts. */
export interface Workbench {
  readonly backend: BackendClient;
  readonly runs: Runs;
  readonly catalog: Catalog;
  readonly hubToken: HubToken;
  readonly fineTune: FineTunePanels;
  readonly playground: PlaygroundPanels;
  readonly monitor: MonitorView;
  readonly spectrum: SpectrumPanels;
  readonly completion: InlineCompletion;
  readonly live: LiveStatistics;
  readonly completionReport: CompletionReportPanels;
  readonly sweep: SweepPanels;
  readonly statistics: CompletionStatisticsPanels;
  readonly leakReport: LeakReportPanels;
  readonly endpoint: Endpoint;
  readonly reports: ReportDocuments;
  readonly work: Work;
}
