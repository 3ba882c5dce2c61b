// Mouse, pen and fingers on the plot: dragging, the lasso, double clicks, zoom and pan.

const FARTHEST_CLICK = 4; // pixels that a press may move and be a click
const DOUBLE_MS = 400;
const WHEEL = 0.0015;

export class Pointer {
  #pointers = new Map(); // those that are down: id -> [x, y]
  #press = null; // what the first of them does
  #lastClick = null;
  isSpaceDown = false;
  tool = "move"; // or "pan"

  /** `look(point | null)` is told which point lies under the pointer; `say` takes a sentence. */
  constructor(stage, plot, { look, say }) {
    Object.assign(this, { stage, plot, look, say });
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#up(event));
    stage.addEventListener("pointercancel", (event) => this.#end(event, true));
    stage.addEventListener("pointerleave", () => this.#press || look(null));
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("auxclick", (event) => event.preventDefault());
  }

  /** Give up what is under way: a drag goes back, a lasso is dropped. */
  cancel() {
    if (!this.#press) return false;
    this.plot.abandon();
    this.plot.lasso = null;
    this.plot.painter.drawAbove();
    this.#press = null;
    return true;
  }

  #place(event) {
    const { left, top } = this.plot.holder.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  #down(event) {
    const { plot } = this;
    if (!plot.arrangement || event.target.closest("button")) return;
    const at = this.#place(event);
    const isTouch = event.pointerType === "touch";
    plot.settle();
    this.stage.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, at);
    if (this.#pointers.size === 2) {
      this.cancel();
      this.#press = { kind: "pinch", last: this.#pinch() };
    } else if (this.#pointers.size === 1 && event.button <= 1) {
      plot.finish();
      const isPan = event.button === 1 || this.isSpaceDown || this.tool === "pan";
      if (event.button === 1) event.preventDefault(); // no automatic scrolling
      const isLasso = event.shiftKey && event.button === 0; // also where points lie
      const hit = isPan ? { kind: "pan" } : isLasso ? { kind: "nothing" } : plot.hit(...at, isTouch);
      this.#press = { ...hit, hit: hit.kind, at, last: at, isClick: true, isTouch };
      if (hit.kind === "centre") plot.select(hit.label);
    }
  }

  #move(event) {
    const { plot } = this;
    if (!plot.arrangement) return;
    const at = this.#place(event);
    if (this.#pointers.has(event.pointerId)) this.#pointers.set(event.pointerId, at);
    const press = this.#press;
    if (!press) {
      this.#hover(at, event);
      return;
    }
    if (press.kind === "pinch") {
      this.#zoomByFingers(press);
      return;
    }
    const farthest = press.isTouch ? 2 * FARTHEST_CLICK : FARTHEST_CLICK;
    if (press.isClick && Math.hypot(at[0] - press.at[0], at[1] - press.at[1]) < farthest) return;
    if (press.isClick) {
      press.isClick = false;
      this.#begin(press);
    }
    this.#drag(press, at);
    press.last = at;
  }

  /** The press has become a drag. */
  #begin(press) {
    const { plot } = this;
    this.look(null);
    if (press.kind === "nothing") {
      plot.select(null);
      plot.lasso = [press.at];
    } else if (press.kind !== "pan" && !plot.mayArrange) {
      press.kind = "none";
      this.say(plot.stage === "now" ? "The points cannot be moved now." : "Go to “Now” to move points.");
    } else if (press.kind === "handle") plot.beginClass("spread", press.label);
    else if (press.kind === "centre") plot.beginClass("centre", press.label);
    else if (press.kind === "selection") plot.begin("lasso", plot.selection, labelOf(plot));
    else if (press.kind === "point") plot.begin("point", [press.point]);
  }

  #drag(press, at) {
    const { plot } = this;
    const [dx, dy] = [at[0] - press.at[0], at[1] - press.at[1]];
    if (press.kind === "pan") plot.pan(at[0] - press.last[0], at[1] - press.last[1]);
    else if (press.kind === "nothing") {
      plot.lasso.push(at);
      plot.painter.drawAbove();
    } else if (plot.gesture && press.kind === "handle") {
      const { x, y } = press.ring;
      const start = Math.hypot(press.at[0] - x, press.at[1] - y);
      plot.scale(Math.hypot(at[0] - x, at[1] - y) / Math.max(start, 1));
    } else if (plot.gesture) plot.shift(dx / plot.view.scale, -dy / plot.view.scale);
  }

  #up(event) {
    const { plot } = this;
    const press = this.#press;
    if (press && press.kind !== "pinch") {
      if (press.isClick) this.#click(press, event);
      else if (press.kind === "nothing") {
        const polygon = plot.lasso;
        plot.lasso = null;
        const count = plot.selectWithin(polygon);
        this.say(count ? `${count.toLocaleString("en")} points selected; drag one of them.` : "No point is selected.");
      } else if (plot.gesture) {
        const scaled = plot.gesture.factor > 1 ? "spread" : "shrunk";
        this.say(`${named(plot, plot.gesture)} ${press.kind === "handle" ? scaled : "moved"}.`);
        plot.finish();
      }
    }
    this.#end(event, false);
  }

  #end(event, isLost) {
    this.#pointers.delete(event.pointerId);
    if (isLost) this.cancel();
    if (this.#pointers.size === 0) this.#press = null;
    else if (this.#press?.kind === "pinch") this.#press = { kind: "none" }; // until the last finger is lifted
  }

  #click(press, event) {
    const { plot } = this;
    const last = this.#lastClick;
    this.#lastClick = { label: press.label, kind: press.hit, time: event.timeStamp, at: press.at };
    if (press.hit === "nothing") plot.select(null);
    if (press.hit === "point") {
      plot.select(press.label);
      this.look(press.point);
    }
    if (press.hit !== "centre" && press.hit !== "handle") return;
    if (press.hit === "centre") this.say(`${plot.state.classes[press.label]} selected.`);
    const isDouble = last && last.label === press.label && event.timeStamp - last.time < DOUBLE_MS
      && Math.hypot(last.at[0] - press.at[0], last.at[1] - press.at[1]) < 12;
    if (isDouble && plot.mayArrange) {
      plot.gather(press.label);
      this.#lastClick = null;
      this.say(`${plot.state.classes[press.label]} gathered towards its centre.`);
    }
  }

  #hover(at, event) {
    const { plot, stage } = this;
    if (event.pointerType === "touch") return;
    const hit = event.target.closest("button") ? { kind: "nothing" } : plot.hit(...at);
    stage.dataset.cursor = this.isSpaceDown || this.tool === "pan" ? "pan" : hit.kind;
    this.look(hit.kind === "point" || hit.kind === "selection" ? hit.point : null);
  }

  #pinch() {
    const [[ax, ay], [bx, by]] = [...this.#pointers.values()];
    return { x: (ax + bx) / 2, y: (ay + by) / 2, distance: Math.max(Math.hypot(ax - bx, ay - by), 1) };
  }

  #zoomByFingers(press) {
    if (this.#pointers.size < 2) return;
    const now = this.#pinch();
    this.plot.pan(now.x - press.last.x, now.y - press.last.y);
    this.plot.zoom(now.distance / press.last.distance, now.x, now.y);
    press.last = now;
  }

  #wheel(event) {
    if (!this.plot.arrangement || this.#press) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 20 : 1;
    this.plot.zoom(Math.exp(-WHEEL * lines * event.deltaY), ...this.#place(event));
    this.look(null);
  }
}

/** What a gesture moves, in words. */
export function named({ state }, { label, points }) {
  if (label !== null) return state.classes[label];
  return points.length === 1 ? "The point" : `${points.length.toLocaleString("en")} points`;
}

/** The class of a selection, where it is one. */
export function labelOf({ selection, arrangement }) {
  const label = arrangement.labels[selection[0]];
  return selection.every((point) => arrangement.labels[point] === label) ? label : null;
}
