import { whenViewEnds } from './lifetime.js';

/** The returned function runs `draw` once in the next frame, however often it is called. */
export function oncePerFrame(draw: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
}

/** Share of the time that may go into drawing not caused by a user's gesture, since the processor belongs to training. */
const share = 0.01;
/** Longest pause between two draws, so that users see a run's progress however long a draw takes. */
const maxRestMs = 3000;

/**
 * Like oncePerFrame, for content that changes by itself: after a draw it pauses, for longer the more time the draw took,
 * including the layout and painting that follow. Until the next draw, `root` has data-stale: what it shows is out of date.
 */
export function paced(root: HTMLElement, draw: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let restUntil = 0;
  const drawNow = () => {
    const start = performance.now();
    timer = undefined;
    // Provisional, until the duration of this draw is known.
    restUntil = start + maxRestMs;
    delete root.dataset['stale'];
    draw();
    setTimeout(() => {
      const end = performance.now();
      restUntil = end + Math.min(maxRestMs, (end - start) / share);
    });
  };
  // By then, what would be drawn is gone.
  whenViewEnds(() => {
    clearTimeout(timer);
  });
  return () => {
    if (timer !== undefined) return;
    root.dataset['stale'] = '';
    timer = setTimeout(() => requestAnimationFrame(drawNow), Math.max(0, restUntil - performance.now()));
  };
}
