// The plot by keys: classes and points are selected, moved, spread, gathered; what happened is said.

import { labelOf, named } from "./pointer.js";

const STEP = 10; // pixels
const LARGE = 4; // times, with Shift
const SPREAD = 1.1;
const TYPED = "textarea, dialog, input:not([type=range], [type=radio], [type=checkbox])"; // it has an undo of its own
const PAUSE_MS = 700; // presses with shorter pauses are one movement, which one undo takes back
const ARROWS = {
  ArrowLeft: [-1, 0, "left"],
  ArrowRight: [1, 0, "right"],
  ArrowUp: [0, 1, "up"],
  ArrowDown: [0, -1, "down"],
};

export class Keyboard {
  #timer = 0;
  #steps = 0;
  #said = "";

  /** `places`: the elements whose keys move classes; `look(point | null)` shows an item; `say` takes a sentence. */
  constructor(places, plot, pointer, { look, say, undo, redo }) {
    Object.assign(this, { plot, pointer, look, say, undo, redo });
    for (const place of places) place.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("keydown", (event) => this.#anywhere(event));
    document.addEventListener("keyup", (event) => event.key === " " && (pointer.isSpaceDown = false));
  }

  #anywhere(event) {
    if (!this.plot.arrangement || event.target.closest(TYPED)) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey) {
      const key = event.key.toLowerCase();
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      if (key === "z" && !event.shiftKey) this.undo();
      else this.redo();
    } else if (event.key === "Escape") this.#escape();
  }

  #escape() {
    const { plot } = this;
    if (this.pointer.cancel()) this.say("Not moved.");
    else if (plot.looked !== null) this.look(null);
    else if (plot.selected !== null || plot.selection) {
      plot.select(null);
      this.say("Nothing is selected.");
    }
  }

  #key(event) {
    const { plot } = this;
    if (!plot.arrangement || event.ctrlKey || event.metaKey || event.altKey) return;
    const isPlot = !event.target.closest("button");
    if (isPlot && event.key === " ") {
      this.pointer.isSpaceDown = true;
    } else if (event.key in ARROWS) {
      const [dx, dy, word] = ARROWS[event.key];
      this.#move(dx, dy, word, event.shiftKey ? LARGE : 1);
    } else if (event.key === "+" || event.key === "=") this.#spread(SPREAD, "spread");
    else if (event.key === "-" || event.key === "_") this.#spread(1 / SPREAD, "shrunk");
    else if (event.key === "g") this.#gather();
    else if (isPlot && /^[0-9]$/.test(event.key)) this.#choose((Number(event.key) || 10) - 1);
    else if (event.key === "PageDown" || event.key === "PageUp") this.#next(event.key === "PageDown" ? 1 : -1);
    else if (event.key === "." || event.key === ",") this.#nextPoint(event.key === "." ? 1 : -1);
    else return;
    event.preventDefault();
  }

  #choose(label) {
    const { classes } = this.plot.state;
    if (label >= classes.length) return;
    this.look(null);
    this.plot.select(label);
    this.say(`${classes[label]} selected.`);
  }

  #next(step) {
    const count = this.plot.state.classes.length;
    const { selected } = this.plot;
    this.#choose(selected === null ? (step > 0 ? 0 : count - 1) : (selected + step + count) % count);
  }

  #nextPoint(step) {
    const { plot } = this;
    if (plot.selected === null) plot.select(0);
    const members = plot.arrangement.members(plot.selected);
    if (members.length === 0) return;
    plot.finish();
    const found = members.indexOf(plot.looked);
    const next = found < 0 ? (step > 0 ? 0 : members.length - 1) : (found + step + members.length) % members.length;
    const point = members[next];
    this.look(point);
    const { classes, predictions } = plot.state;
    const taken = predictions[point];
    const seen = taken === plot.selected ? "recognised" : `taken for ${classes[taken]}`;
    this.say(`Point ${next + 1} of ${members.length} of ${classes[plot.selected]}, ${seen}.`);
  }

  /** The movement that keys make: of the point that is looked at, the lasso's selection, or the selected class. */
  #gesture() {
    const { plot } = this;
    if (!plot.mayArrange) {
      this.say("The points cannot be moved now.");
      return null;
    }
    if (plot.gesture?.kind !== "keys") {
      this.#steps = 0;
      const { looked, selection, selected } = plot;
      if (selection) plot.begin("keys", selection, labelOf(plot));
      else if (looked !== null && plot.arrangement.labels[looked] === selected) {
        plot.begin("keys", [looked]);
        plot.look(looked);
      } else if (selected !== null && plot.arrangement.members(selected).length) plot.beginClass("keys", selected);
      else {
        this.say("Select a class first: with a number key, Page Down, or in the list of classes.");
        return null;
      }
    }
    clearTimeout(this.#timer);
    const { gesture } = plot;
    this.#timer = setTimeout(() => plot.gesture === gesture && plot.finish(), PAUSE_MS);
    return gesture;
  }

  #tell(did) {
    const sentence = `${named(this.plot, this.plot.gesture)} ${did}`;
    this.#steps = sentence === this.#said ? this.#steps + 1 : 1;
    this.#said = sentence;
    this.say(this.#steps > 1 ? `${sentence}, ${this.#steps} steps.` : `${sentence}.`);
  }

  #move(dx, dy, word, times) {
    const gesture = this.#gesture();
    if (!gesture) return;
    const step = (times * STEP) / this.plot.view.scale;
    this.plot.shift(gesture.dx + dx * step, gesture.dy + dy * step);
    this.#tell(`moved ${word}`);
  }

  #spread(factor, word) {
    const { plot } = this;
    if (plot.selection || plot.selected === null) {
      this.say("Select a class to spread or to shrink it.");
      return;
    }
    if (plot.looked !== null) this.look(null);
    if (plot.gesture?.points.length === 1) plot.finish();
    const gesture = this.#gesture();
    if (!gesture) return;
    plot.scale(gesture.factor * factor);
    this.#tell(word);
  }

  #gather() {
    const { plot } = this;
    if (plot.selected === null || !plot.mayArrange) {
      this.say(plot.mayArrange ? "Select a class to gather it." : "The points cannot be moved now.");
      return;
    }
    plot.gather(plot.selected);
    this.say(`${plot.state.classes[plot.selected]} gathered towards its centre.`);
  }
}
