// Points on their way from one arrangement to another, so that the eye can follow them.

import { Arrangement } from "./arrangement.js";

const DURATION_MS = 450;
const MOST = 5_000; // points; more of them change at once

/**
 * Begin to move points from (`fromX`, `fromY`) to an arrangement; `onFrame(isOver)` is called for each frame.
 *
 * Gives { arrangement, stop() }, where the points are now; null where there are too many of them, or where the
 * participant wants no motion.
 */
export function startTween(fromX, fromY, target, onFrame) {
  if (target.count > MOST || matchMedia("(prefers-reduced-motion: reduce)").matches) return null;
  const arrangement = new Arrangement({ x: fromX, y: fromY, labels: target.labels, classes: target.classes });
  const start = performance.now();
  let frame = requestAnimationFrame(step);
  function step() {
    const t = Math.min((performance.now() - start) / DURATION_MS, 1);
    const share = 1 - (1 - t) ** 3;
    for (let i = 0; i < target.count; i += 1) {
      arrangement.x[i] = fromX[i] + share * (target.x[i] - fromX[i]);
      arrangement.y[i] = fromY[i] + share * (target.y[i] - fromY[i]);
    }
    arrangement.measure();
    if (t < 1) frame = requestAnimationFrame(step);
    onFrame(t === 1);
  }
  return { arrangement, stop: () => cancelAnimationFrame(frame) };
}
