/** @file One program with several roles: the language server and the workers that compute for it. */
import { loadTranslations } from '../files/translations.js';
import type { WorkerRole } from './workerConnection.js';

loadTranslations();

const role = process.argv[2] as WorkerRole | undefined;
switch (role) {
  case 'generate':
    void import('./generateWorker.js').then(({ serveGenerate }) => serveGenerate());
    break;
  case 'serve':
    void import('./serveWorker.js').then(({ serveEndpoint }) => serveEndpoint());
    break;
  case 'preflight':
    void import('./preflightWorker.js').then(({ servePreflight }) => servePreflight());
    break;
  case 'data':
    void import('./dataWorker.js').then(({ serveData }) => serveData());
    break;
  case 'export':
    void import('./exportWorker.js').then(({ serveExport }) => serveExport());
    break;
  case 'analysis':
    void import('./analysisWorker.js').then(({ serveAnalysis }) => serveAnalysis());
    break;
  case 'evaluate':
    void import('./evaluateWorker.js').then(({ serveEvaluate }) => serveEvaluate());
    break;
  case 'retrieve':
    void import('./retrieveWorker.js').then(({ serveRetrieve }) => serveRetrieve());
    break;
  default:
    void import('./server.js').then(({ serve }) => serve());
}
