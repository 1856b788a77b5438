import type { FollowedMetrics, FollowedSamples } from '../protocol/backend.js';
import { metricsTail } from '../runs/metricsFile.js';
import { RunDirectory } from '../runs/runDirectory.js';
import { samplesTail } from '../runs/samplesFile.js';

/** At most ten messages a second for each follower, once it has caught up. */
const intervalMs = 100;

export interface FollowerPorts {
  sendMetrics(piece: FollowedMetrics): void;
  sendSamples(piece: FollowedSamples): void;
}

/** Sends the metrics and samples of runs to whoever follows them: all there are, then the new ones. */
export class RunFollowers {
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(private readonly ports: FollowerPorts) {}

  /** Following again under the same id starts anew. */
  follow(runId: string, followId: string): void {
    this.unfollow(followId);
    const { metricsPath, samplesPath } = RunDirectory.open(runId);
    const metrics = metricsTail(metricsPath);
    const samples = samplesTail(samplesPath);
    let fresh = true;
    const read = () => {
      const newMetrics = metrics.read();
      if (fresh || newMetrics.replaced || newMetrics.lines.length > 0) {
        this.ports.sendMetrics({ followId, replaced: fresh || newMetrics.replaced, metrics: newMetrics.lines });
      }
      const newSamples = samples.read();
      if (newSamples.replaced || newSamples.lines.length > 0) {
        this.ports.sendSamples({ followId, replaced: fresh || newSamples.replaced, samples: newSamples.lines });
      }
      fresh = false;
      // A long history goes out piece by piece, so that other messages find their way in between.
      this.timers.set(followId, setTimeout(read, newMetrics.more || newSamples.more ? 0 : intervalMs));
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
