import type { MessageConnection } from 'vscode-languageserver/node';
import type { WorkProgress } from '../protocol/backend.js';
import { workProgressNotification } from './workerProtocol.js';

/** Progress is reported at most ten times a second. */
const pauseMs = 100;

/** Tells the backend how far a worker has come. */
export function progressTeller(connection: MessageConnection): (progress: WorkProgress) => void {
  let toldAt = -Infinity;
  return (progress) => {
    if (progress.done < progress.total && performance.now() - toldAt < pauseMs) return;
    toldAt = performance.now();
    void connection.sendNotification(workProgressNotification, progress);
  };
}
