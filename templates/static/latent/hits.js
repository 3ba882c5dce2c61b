// What the pointer takes hold of.

import { handlesOf, ringOf } from "./above.js";

const CENTRE_REACH = 13; // pixels
const HANDLE_REACH = 11;
const FINGER = 1.8; // times as far

/**
 * What lies at a place of the screen, the uppermost first: { kind: "handle", label, ring } of the selected class,
 * { kind: "centre", label }, { kind: "selection" | "point", point, label }, or { kind: "nothing" }.
 */
export function hit(plot, x, y, isTouch) {
  const { view, selected, selection } = plot;
  const shown = plot.shown();
  const reach = isTouch ? FINGER : 1;
  if (plot.mayArrange && selected !== null) {
    const ring = ringOf(plot.scene(), view, selected);
    const isHandle = handlesOf(ring).some(([px, py]) => Math.hypot(px - x, py - y) <= HANDLE_REACH * reach);
    if (isHandle) return { kind: "handle", label: selected, ring };
  }
  let [centre, least] = [null, CENTRE_REACH * reach];
  for (let label = 0; label < shown.classes; label += 1) {
    const distance = Math.hypot(view.x(shown.centreX[label]) - x, view.y(shown.centreY[label]) - y);
    if (distance < least || (distance === least && label === selected)) [centre, least] = [label, distance];
  }
  if (centre !== null) return { kind: "centre", label: centre };
  const point = plot.pointAt(x, y, reach);
  if (point === null) return { kind: "nothing" };
  return { kind: selection?.includes(point) ? "selection" : "point", point, label: plot.arrangement.labels[point] };
}
