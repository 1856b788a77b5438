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
const share = 0.02;

/**
 * Like oncePerFrame, for what changes by itself: after a draw it rests, the longer the more the draw took. Meanwhile `busy` is
 * aria-busy.
 */
export function paced(busy: HTMLElement, draw: () => void): () => void {
  let waiting = false;
  let restUntil = 0;
  return () => {
    if (waiting) return;
    waiting = true;
    busy.setAttribute('aria-busy', 'true');
    const rest = Math.max(0, restUntil - performance.now());
    setTimeout(() => {
      requestAnimationFrame((start) => {
        waiting = false;
        busy.removeAttribute('aria-busy');
        draw();
        const end = performance.now();
        restUntil = end + (end - start) / share;
      });
    }, rest);
  };
}
