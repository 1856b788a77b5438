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

/** Of the time, how much may go into drawing what nobody asked for by a gesture: the processor belongs to training. */
const share = 0.01;
/** However long a draw takes, nobody waits longer than this to see how a run goes on. */
const maxRestMs = 3000;

/**
 * Like oncePerFrame, for what changes by itself: after a draw it rests, the longer the more the draw took, with the layout and the
 * painting that follow. Until the next one `root` has data-stale: what it shows is older than what is known.
 */
export function paced(root: HTMLElement, draw: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let restUntil = 0;
  const drawNow = () => {
    const start = performance.now();
    timer = undefined;
    // Until it is known what this draw took.
    restUntil = start + maxRestMs;
    delete root.dataset['stale'];
    draw();
    setTimeout(() => {
      const end = performance.now();
      restUntil = end + Math.min(maxRestMs, (end - start) / share);
    });
  };
  // What would be drawn is gone then.
  whenViewEnds(() => {
    clearTimeout(timer);
  });
  return () => {
    if (timer !== undefined) return;
    root.dataset['stale'] = '';
    timer = setTimeout(() => requestAnimationFrame(drawNow), Math.max(0, restUntil - performance.now()));
  };
}
