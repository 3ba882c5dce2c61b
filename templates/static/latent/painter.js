// Draws the plane on three canvases, one above the other: what rests, what moves, and what lies above all points.
//
// When points begin to move, what rests is drawn once without them, and what moves is drawn once, as a picture of its
// own; while they are shifted, only that picture is put elsewhere.

import { drawAbove } from "./above.js";
import { Marks } from "./marks.js";

const LARGEST_PICTURE = 3; // times the window: what moves may reach so far out of it
const MOST_TRAILS = 3_000; // points with a trail; of more, evenly many are taken
const FADED = 0.45; // points under trails
const RADII = [[300, 6], [1_000, 5], [3_000, 3.6], [10_000, 3], [30_000, 2.4], [Infinity, 2]];

export class Painter {
  #moving = null;
  #marks = null;
  #frame = 0;

  /** `holder` has the three canvases; `scene()` says what is shown (see `Scene` in scene.js). */
  constructor(holder, view, scene) {
    this.view = view;
    this.scene = scene;
    this.canvases = [...holder.querySelectorAll("canvas")];
    [this.rest, this.moving, this.above] = this.canvases.map((canvas) => canvas.getContext("2d"));
    this.ratio = 1;
  }

  /** The radius of a point on the screen. */
  get radius() {
    const count = this.scene().x.length;
    const base = RADII.find(([most]) => count <= most)[1];
    const side = Math.min(Math.max(Math.min(this.view.width, this.view.height) / 560, 0.75), 1.2);
    return Math.round(2 * side * base * Math.min(Math.max(Math.sqrt(this.view.zoom), 1), 3)) / 2;
  }

  resize(width, height) {
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    for (const canvas of this.canvases) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
    }
    this.view.resize(width, height);
    this.#marks = null;
  }

  /** Draw everything before the next frame. */
  draw() {
    this.#schedule("all");
  }

  /** Draw only what moves and what lies above, before the next frame. */
  drawMoving() {
    this.#schedule("moving");
  }

  /** Draw only what lies above the points, before the next frame. */
  drawAbove() {
    this.#schedule("above");
  }

  #wanted = null;

  #schedule(what) {
    const order = ["above", "moving", "all"];
    if (this.#wanted === null || order.indexOf(what) > order.indexOf(this.#wanted)) this.#wanted = what;
    this.#frame ||= requestAnimationFrame(() => this.now());
  }

  /** Draw what was asked for, now. */
  now() {
    const what = this.#wanted;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#wanted = null;
    if (what === "all") this.everything();
    else if (what === "moving") this.movingFrame();
    else if (what === "above") this.#drawAbove();
  }

  everything() {
    const scene = this.scene();
    const { rest } = this;
    const mask = this.#moving?.mask ?? null;
    this.#clear(rest);
    if (scene.selection && !mask) this.#halos(rest, scene, scene.selection);
    if (scene.trails) rest.globalAlpha = FADED;
    this.#points(rest, scene, { mask, offsetX: 0, offsetY: 0 });
    rest.globalAlpha = 1;
    if (scene.trails) this.#drawTrails(scene);
    if (this.#moving) this.#picture();
    this.movingFrame();
  }

  /** From now on these points move; `gesture` says by how much. */
  begin(gesture) {
    const mask = new Uint8Array(this.scene().x.length);
    for (const point of gesture.points) mask[point] = 1;
    this.#moving = { gesture, mask, picture: null };
    this.everything();
  }

  /** They lie where they are. */
  end() {
    this.#moving = null;
    this.draw();
  }

  /** One frame while points move. */
  movingFrame() {
    const { moving, view, ratio } = this;
    this.#clear(moving);
    if (this.#moving) {
      const { picture, gesture } = this.#moving;
      if (picture && gesture.factor === picture.factor) {
        const x = Math.round(ratio * (picture.left + view.scale * (gesture.dx - picture.dx)));
        const y = Math.round(ratio * (picture.top - view.scale * (gesture.dy - picture.dy)));
        moving.setTransform(1, 0, 0, 1, 0, 0);
        moving.drawImage(picture.canvas, x, y);
      } else {
        this.#movingPoints(moving, 0, 0);
      }
    }
    this.#drawAbove();
  }

  #drawAbove() {
    this.#clear(this.above);
    drawAbove(this.above, this.scene(), this.view, this.radius);
  }

  #clear(context) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
  }

  /** What moves as a picture, if it is not too large for one. */
  #picture() {
    const { gesture } = this.#moving;
    const { view, ratio } = this;
    const { x, y } = this.scene();
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const point of gesture.points) {
      const [px, py] = [view.x(x[point]), view.y(y[point])];
      if (px < left) left = px;
      if (px > right) right = px;
      if (py < top) top = py;
      if (py > bottom) bottom = py;
    }
    const margin = 2 * this.radius + 8;
    left = Math.floor(left - margin);
    top = Math.floor(top - margin);
    const width = Math.ceil(right + margin - left);
    const height = Math.ceil(bottom + margin - top);
    this.#moving.picture = null;
    if (!(width < LARGEST_PICTURE * view.width && height < LARGEST_PICTURE * view.height)) return;
    const canvas = Object.assign(document.createElement("canvas"), { width: width * ratio, height: height * ratio });
    const context = canvas.getContext("2d");
    this.#movingPoints(context, left, top);
    this.#moving.picture = { canvas, left, top, dx: gesture.dx, dy: gesture.dy, factor: gesture.factor };
  }

  #movingPoints(context, offsetX, offsetY) {
    const scene = this.scene();
    const { gesture } = this.#moving;
    if (gesture.label === null) this.#halos(context, scene, gesture.points, offsetX, offsetY);
    this.#points(context, scene, { points: gesture.points, offsetX, offsetY });
  }

  /** Copy the marks: of all points that `mask` leaves, class by class, or of `points`. */
  #points(context, scene, { mask = null, points = null, offsetX, offsetY }) {
    const { ratio, view, radius } = this;
    if (this.#marks?.radius !== radius || this.#marks.classes !== scene.classes.length) {
      this.#marks = new Marks(scene.classes.length, radius, ratio);
    }
    const place = { scale: ratio * view.scale, left: ratio * (view.left - offsetX), top: ratio * (view.top - offsetY) };
    this.#marks.copy(context, scene, points ?? scene.order, mask, place);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** A light ring around each selected point. */
  #halos(context, scene, points, offsetX = 0, offsetY = 0) {
    const { view, ratio } = this;
    context.setTransform(ratio, 0, 0, ratio, -ratio * offsetX, -ratio * offsetY);
    context.fillStyle = "rgb(28 98 196 / 35%)";
    context.beginPath();
    const radius = this.radius + 4;
    for (const point of points) {
      const [px, py] = [view.x(scene.x[point]), view.y(scene.y[point])];
      context.moveTo(px + radius, py);
      context.arc(px, py, radius, 0, 2 * Math.PI);
    }
    context.fill();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** From where each point was, over where it was put, to where it is now. */
  #drawTrails({ trails, colourOf, labels }) {
    const { rest, view } = this;
    const step = Math.ceil(labels.length / MOST_TRAILS);
    trails.forEach(({ fromX, fromY, toX, toY, dashed }) => {
      rest.lineWidth = dashed ? 1 : 1.5;
      rest.setLineDash(dashed ? [3, 3] : []);
      const paths = new Map();
      for (let point = 0; point < labels.length; point += step) {
        if (!paths.has(labels[point])) paths.set(labels[point], new Path2D());
        const path = paths.get(labels[point]);
        path.moveTo(view.x(fromX[point]), view.y(fromY[point]));
        path.lineTo(view.x(toX[point]), view.y(toY[point]));
      }
        rest.globalAlpha = 0.8;
      for (const [label, path] of paths) {
        rest.strokeStyle = colourOf(label);
        rest.stroke(path);
      }
    });
    rest.globalAlpha = 1;
    rest.setLineDash([]);
  }
}
