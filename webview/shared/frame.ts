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
  /** Set while a draw is scheduled, and then until it is known how long it took. */
  let timer: ReturnType<typeof setTimeout> | undefined;
  let restUntil = 0;
  const schedule = () => {
    timer = setTimeout(() => requestAnimationFrame(drawNow), Math.max(0, restUntil - performance.now()));
  };
  const drawNow = () => {
    const start = performance.now();
    delete root.dataset['stale'];
    draw();
    timer = setTimeout(() => {
      const end = performance.now();
      restUntil = end + Math.min(maxRestMs, (end - start) / share);
      timer = undefined;
      if (root.dataset['stale'] !== undefined) schedule();
    });
  };
  // After that, there is nothing left to draw.
  whenViewEnds(() => {
    clearTimeout(timer);
    delete root.dataset['stale'];
  });
  return () => {
    root.dataset['stale'] = '';
    if (timer === undefined) schedule();
  };
}
