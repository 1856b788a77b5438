import type { FollowedMetrics } from '../protocol/backend.js';
import { MetricsTail } from '../runs/metricsFile.js';
import { RunDirectory } from '../runs/runDirectory.js';

/** Once a follower has caught up: at most ten messages a second of a run that goes on, and a look now and then at one at rest. */
const intervalMs = { live: 100, atRest: 1000 };

/** Sends the metrics of runs to whoever follows them: all there are, then the new ones. */
export class MetricsFollowers {
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly isLive: (runId: string) => boolean,
    private readonly send: (piece: FollowedMetrics) => void,
  ) {}

  /** Following again under the same id starts anew. */
  follow(runId: string, followId: string): void {
    this.unfollow(followId);
    const tail = new MetricsTail(RunDirectory.open(runId).metricsPath);
    let fresh = true;
    const read = () => {
      const { replaced, metrics, more } = tail.read();
      if (fresh || replaced || metrics.length > 0) {
        this.send({ followId, replaced: fresh || replaced, metrics });
      }
      fresh = false;
      // A long history goes out piece by piece, so that other messages find their way in between.
      this.timers.set(followId, setTimeout(read, more ? 0 : intervalMs[this.isLive(runId) ? 'live' : 'atRest']));
    };
    read();
  }

  unfollow(followId: string): void {
    clearTimeout(this.timers.get(followId));
    this.timers.delete(followId);
  }

  stop(): void {
    for (const followId of [...this.timers.keys()]) this.unfollow(followId);
  }
}
