// The scatter plot: what is shown, what is selected, and what moves. Pointer and keyboard act through it.

import { Arrangement } from "./arrangement.js";
import { Grid, inside } from "./grid.js";
import { hit } from "./hits.js";
import { Painter } from "./painter.js";
import { lookOf } from "./palette.js";
import { startTween } from "./tween.js";
import { View } from "./view.js";

const POINT_REACH = 9; // pixels
const GATHERED = 0.5;

export class Plot {
  arrangement = null;
  selected = null; // a class
  selection = null; // points of a lasso
  looked = null; // the point whose item is shown
  lasso = null; // its corners on the screen, while it is drawn
  confusions = null;
  stage = "now"; // or "before", "intended": what is shown of the last training
  trails = false;
  canArrange = false;
  gesture = null;
  #stages = new Map();
  #grid = null;
  #order = null;
  #tween = null;

  /** `on.moved(movement)` and `on.selected()` are called; `on.elapsed()` says for how long the arrangement is shown. */
  constructor(holder, on) {
    this.holder = holder;
    this.on = on;
    this.view = new View();
    this.painter = new Painter(holder, this.view, () => this.scene());
    new ResizeObserver(() => this.resize()).observe(holder);
  }

  /** Show a session's state; its draft where it has one. The view is kept where the points are the same ones. */
  show(state) {
    this.abandon();
    const { labels, classes, before } = state;
    const previous = this.arrangement && this.shown();
    this.state = state;
    this.arrangement = new Arrangement({ ...state, classes: classes.length });
    if (state.draft) this.arrangement.place(state.draft.x, state.draft.y);
    this.#stages.clear();
    if (before) {
      const make = (x, y) => new Arrangement({ x, y, labels, classes: classes.length });
      this.#stages.set("before", make(before.x, before.y));
      this.#stages.set("intended", make(before.intended_x, before.intended_y));
    }
    this.stage = "now";
    this.selection = null;
    this.looked = null;
    this.#changed();
    this.fit();
    if (previous?.count === this.arrangement.count) this.#animate(previous.x.slice(), previous.y.slice());
  }

  resize() {
    const { clientWidth, clientHeight } = this.holder;
    if (!clientWidth) return;
    const isFirst = this.view.width === 1;
    this.painter.resize(clientWidth, clientHeight);
    if (this.arrangement) isFirst ? this.fit() : this.painter.everything();
  }

  /** What is shown now: an Arrangement. */
  shown() {
    return this.#tween?.arrangement ?? (this.stage === "now" ? this.arrangement : this.#stages.get(this.stage));
  }

  /** What the painter draws. */
  scene() {
    const shown = this.shown();
    const { state, stage, arrangement } = this;
    this.#order ??= arrangement.ordered(this.selected);
    return {
      x: shown.x,
      y: shown.y,
      labels: arrangement.labels,
      predictions: stage === "now" ? state.predictions : state.before.predictions,
      order: this.#order,
      classes: state.classes,
      shape: shown,
      selected: this.selected,
      selection: this.selection,
      looked: this.looked,
      lasso: this.lasso,
      canArrange: this.mayArrange,
      confusions: this.confusions,
      trails: this.trails && !this.#tween ? this.#trails() : null,
      colourOf: (label) => lookOf(label).edge,
    };
  }

  get mayArrange() {
    return this.canArrange && this.stage === "now";
  }

  get hasStages() {
    return this.#stages.size > 0;
  }

  showStage(stage) {
    if (stage === this.stage) return;
    this.finish();
    const { x, y } = this.shown();
    const from = [x.slice(), y.slice()];
    this.stage = stage;
    this.selection = null;
    this.#changed();
    this.#animate(...from);
  }

  showTrails(trails) {
    this.trails = trails;
    this.painter.draw();
  }

  fit() {
    const arrays = [this.arrangement, ...this.#stages.values()].map(({ x, y }) => [x, y]);
    this.view.fit(arrays);
    this.painter.draw();
  }

  zoom(factor, x = this.view.width / 2, y = this.view.height / 2) {
    this.view.zoomAt(x, y, factor);
    this.painter.draw();
  }

  pan(dx, dy) {
    this.view.pan(dx, dy);
    this.painter.draw();
  }

  /** What lies at a place of the screen; see hits.js. */
  hit(x, y, isTouch = false) {
    return hit(this, x, y, isTouch);
  }

  pointAt(x, y, reach = 1) {
    const shown = this.shown();
    this.#grid ??= new Grid(shown.x, shown.y);
    const radius = Math.max(POINT_REACH * reach, this.painter.radius + 2) / this.view.scale;
    return this.#grid.nearest(this.view.planeX(x), this.view.planeY(y), radius);
  }

  select(label) {
    if (label === this.selected && !this.selection) return;
    this.finish();
    this.selected = label;
    this.selection = null;
    this.#order = null;
    this.painter.draw();
    this.on.selected();
  }

  /** Select the points within a polygon of the screen; how many there are. */
  selectWithin(polygon) {
    const { view } = this;
    const { x, y } = this.shown();
    const found = inside(polygon.map(([px, py]) => [view.planeX(px), view.planeY(py)]), x, y);
    this.selected = null;
    this.selection = found.length ? Int32Array.from(found) : null;
    this.#order = null;
    this.painter.draw();
    this.on.selected();
    return found.length;
  }

  /** Points that are still on their way are there. */
  settle() {
    if (!this.#tween) return;
    this.#tween.stop();
    this.#tween = null;
    this.#changed();
  }

  look(point) {
    if (point === this.looked) return;
    this.looked = point;
    this.painter.drawAbove();
  }

  compare(confusions) {
    this.confusions = confusions;
    this.painter.drawAbove();
  }

  // ---- Moving

  begin(kind, points, label = null) {
    this.finish();
    this.settle();
    this.look(null);
    this.gesture = this.arrangement.begin(kind, points, label);
    this.painter.begin(this.gesture);
    return this.gesture;
  }

  beginClass(kind, label) {
    return this.begin(kind, this.arrangement.members(label), label);
  }

  shift(dx, dy) {
    this.gesture.shift(dx, dy);
    this.painter.drawMoving();
  }

  scale(factor) {
    this.gesture.scale(factor);
    this.painter.drawMoving();
  }

  /** The gesture that is under way, if any, is one that the participant made. */
  finish() {
    const { gesture } = this;
    if (!gesture) return;
    this.gesture = null;
    const movement = gesture.commit(this.on.elapsed());
    this.#moved();
    if (!movement) return;
    if (!this.#sees(gesture.points)) this.fit();
    this.on.moved(movement);
  }

  /** Whether the middle of some points lies within the window. */
  #sees(points) {
    const { view } = this;
    let [x, y] = [0, 0];
    for (const point of points) {
      x += this.arrangement.x[point] / points.length;
      y += this.arrangement.y[point] / points.length;
    }
    return view.x(x) >= 0 && view.x(x) <= view.width && view.y(y) >= 0 && view.y(y) <= view.height;
  }

  /** It is none. */
  abandon() {
    if (!this.gesture) return;
    this.gesture.cancel();
    this.gesture = null;
    this.#moved();
  }

  /** Halve the distances of a class from its centre. */
  gather(label) {
    const gesture = this.beginClass("gather", label);
    const from = [this.arrangement.x.slice(), this.arrangement.y.slice()];
    gesture.scale(GATHERED);
    this.finish();
    this.#animate(...from);
  }

  undo() {
    return this.#goBack("undo");
  }

  redo() {
    return this.#goBack("redo");
  }

  reset() {
    this.finish();
    const from = [this.arrangement.x.slice(), this.arrangement.y.slice()];
    this.gesture = this.arrangement.reset();
    this.finish();
    this.#animate(...from);
  }

  #goBack(kind) {
    this.finish();
    const entry = this.arrangement[kind]();
    if (!entry) return null;
    this.#moved();
    const movement = { kind, label: null, point: null, points: entry.points.length, dx: 0, dy: 0, factor: null };
    this.on.moved({ at_ms: Math.round(this.on.elapsed()), ...movement });
    return entry;
  }

  #moved() {
    this.#changed();
    this.painter.end();
  }

  #changed() {
    this.#grid = null;
    this.#order = null;
    this.painter.draw();
  }

  #trails() {
    if (!this.hasStages) return null;
    const [before, intended] = [this.#stages.get("before"), this.#stages.get("intended")];
    const line = (from, to, dashed) => ({ fromX: from.x, fromY: from.y, toX: to.x, toY: to.y, dashed });
    return [line(before, intended, true), line(intended, this.arrangement, false)];
  }

  /** Let the points go to where they are from where they were. */
  #animate(fromX, fromY) {
    this.settle();
    this.#tween = startTween(fromX, fromY, this.shown(), (isOver) => {
      if (isOver) this.#tween = null;
      this.#grid = null;
      this.painter.everything();
    });
  }
}
