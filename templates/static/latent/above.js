// What lies above the points: the classes' centres with their names, the ring of the selected class with its handles,
// the lasso, the point that is looked at, and lines to the classes that one is taken for.

import { lookOf } from "./palette.js";

const INK = "#1b232d";
const FOCUS = "#1c62c4";
const ARM = 8;
const LEAST_RING = 20; // pixels: the handles of a very small class can still be taken

/** The ring of a class's spread on the screen: its middle and its radius. */
export function ringOf(scene, view, label) {
  const { centreX, centreY, spread } = scene.shape;
  return {
    x: view.x(centreX[label]),
    y: view.y(centreY[label]),
    radius: Math.max(view.scale * spread[label], LEAST_RING),
  };
}

/** Where the ring has its handles. */
export function handlesOf({ x, y, radius }) {
  return [[x + radius, y], [x - radius, y], [x, y + radius], [x, y - radius]];
}

export function drawAbove(context, scene, view, pointRadius) {
  const { shape, classes, selected } = scene;
  if (scene.confusions) drawConfusions(context, scene, view);
  if (selected !== null && !Number.isNaN(shape.centreX[selected])) drawRing(context, scene, view);
  const shown = [...classes.keys()].filter((label) => !Number.isNaN(shape.centreX[label]));
  // The selected class comes last, above the others; but its name is placed first.
  shown.sort((one, other) => (one === selected) - (other === selected));
  for (const label of shown) {
    drawCross(context, view.x(shape.centreX[label]), view.y(shape.centreY[label]), lookOf(label), label === selected);
  }
  drawNames(context, scene, view, shown.reverse());
  if (scene.lasso) drawLasso(context, scene.lasso);
  if (scene.looked !== null) {
    context.beginPath();
    context.arc(view.x(scene.x[scene.looked]), view.y(scene.y[scene.looked]), pointRadius + 5, 0, 2 * Math.PI);
    context.lineWidth = 4.5;
    context.strokeStyle = "#fff";
    context.stroke();
    context.lineWidth = 2.5;
    context.strokeStyle = FOCUS;
    context.stroke();
  }
}

function drawCross(context, x, y, { fill, edge }, isSelected) {
  const arm = isSelected ? ARM + 3 : ARM;
  context.beginPath();
  for (const [dx, dy] of [[1, 1], [1, -1]]) {
    context.moveTo(x - arm * dx, y - arm * dy);
    context.lineTo(x + arm * dx, y + arm * dy);
  }
  context.lineCap = "round";
  for (const [width, colour] of [[10, "#fff"], [6.5, edge], [3.5, fill]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
  context.lineCap = "butt";
}

function drawNames(context, { classes, shape, selected }, view, labels) {
  const taken = labels.map((label) => {
    const [x, y] = [view.x(shape.centreX[label]), view.y(shape.centreY[label])];
    return [x - ARM - 2, y - ARM - 2, x + ARM + 2, y + ARM + 2];
  });
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (const label of labels) {
    const [x, y] = [view.x(shape.centreX[label]), view.y(shape.centreY[label])];
    if (x < -200 || y < -50 || x > view.width + 200 || y > view.height + 50) continue;
    context.font = `${label === selected ? 700 : 600} 14px system-ui, sans-serif`;
    const text = classes[label].length > 24 ? `${classes[label].slice(0, 23)}…` : classes[label];
    const width = context.measureText(text).width;
    const places = [
      [x + ARM + 6, y], [x - ARM - 6 - width, y], [x - width / 2, y - ARM - 13], [x - width / 2, y + ARM + 13],
    ].map(([left, middle]) => [Math.min(Math.max(left, 4), Math.max(view.width - width - 4, 4)), middle]);
    const box = ([left, middle]) => [left - 2, middle - 8, left + width + 2, middle + 8];
    const place = places.find((one) => !taken.some((other) => overlap(box(one), other))) ?? places[0];
    taken.push(box(place));
    context.lineWidth = 4;
    context.strokeStyle = "rgb(255 255 255 / 92%)";
    context.strokeText(text, ...place);
    context.fillStyle = INK;
    context.fillText(text, ...place);
  }
}

const overlap = (one, other) => one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];

function drawRing(context, scene, view) {
  const ring = ringOf(scene, view, scene.selected);
  const { edge } = lookOf(scene.selected);
  context.beginPath();
  context.arc(ring.x, ring.y, ring.radius, 0, 2 * Math.PI);
  context.lineWidth = 4;
  context.strokeStyle = "rgb(255 255 255 / 85%)";
  context.stroke();
  context.lineWidth = 2;
  context.strokeStyle = edge;
  context.setLineDash([6, 4]);
  context.stroke();
  context.setLineDash([]);
  if (!scene.canArrange) return;
  for (const [x, y] of handlesOf(ring)) {
    context.beginPath();
    context.arc(x, y, 6, 0, 2 * Math.PI);
    context.fillStyle = "#fff";
    context.fill();
    context.lineWidth = 2.5;
    context.strokeStyle = edge;
    context.stroke();
  }
}

function drawLasso(context, lasso) {
  context.beginPath();
  for (const [x, y] of lasso) context.lineTo(x, y);
  context.fillStyle = "rgb(28 98 196 / 10%)";
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = FOCUS;
  context.setLineDash([5, 4]);
  context.stroke();
  context.setLineDash([]);
}

function drawConfusions(context, { confusions, shape }, view) {
  for (const { from, to, share } of confusions) {
    const [ax, ay] = [view.x(shape.centreX[from]), view.y(shape.centreY[from])];
    const [bx, by] = [view.x(shape.centreX[to]), view.y(shape.centreY[to])];
    if ([ax, ay, bx, by].some(Number.isNaN)) continue;
    context.beginPath();
    context.moveTo(ax, ay);
    context.lineTo(bx, by);
    const width = 2 + 12 * share;
    context.lineWidth = width + 2;
    context.strokeStyle = "rgb(255 255 255 / 80%)";
    context.stroke();
    context.lineWidth = width;
    context.strokeStyle = "rgb(27 35 45 / 45%)";
    context.stroke();
  }
}
