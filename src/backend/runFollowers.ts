import type { FollowedMetrics, FollowedSamples } from '../protocol/backend.js';
import { metricsTail } from '../runs/metricsFile.js';
import { RunDirectory } from '../runs/runDirectory.js';
import { samplesTail } from '../runs/samplesFile.js';

/** Used once a follower has caught up: at most ten messages a second for a live run, and an occasional check of an idle one. */
const intervalMs = { live: 100, atRest: 1000 };

export interface FollowerPorts {
  isLive(runId: string): boolean;
  sendMetrics(piece: FollowedMetrics): void;
  sendSamples(piece: FollowedSamples): void;
}

/** Sends the metrics and samples of runs to their followers: first all existing ones, then new ones. */
export class RunFollowers {
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(private readonly ports: FollowerPorts) {}

  /** Following again under the same id starts over. */
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
      // A long history is sent in pieces so that other messages can get through in between.
      const more = newMetrics.more || newSamples.more;
      this.timers.set(followId, setTimeout(read, more ? 0 : intervalMs[this.ports.isLive(runId) ? 'live' : 'atRest']));
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
