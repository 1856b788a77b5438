import { CompletionReportPanels, type CompletionReportServices } from './completionReportPanel.js';
import { CompletionStatisticsPanels, type StatisticsServices } from './completionStatisticsPanel.js';
import { LeakReportPanels, type LeakReportServices } from './leakReportPanel.js';
import type { SpectrumServices } from './openSpectrum.js';
import { SpectrumPanels } from './spectrumPanel.js';

type ReportServices = SpectrumServices & CompletionReportServices & StatisticsServices & LeakReportServices;

/** The views that say what was found out about adapters. */
export function reportPanels(services: ReportServices) {
  return {
    spectrum: new SpectrumPanels(services),
    completionReport: new CompletionReportPanels(services),
    statistics: new CompletionStatisticsPanels(services),
    leakReport: new LeakReportPanels(services),
  };
}
