// Drawings to choose from, for who cannot or would not write: radio buttons with the drawings as their labels.

import { made } from "./reading.js";

const SVG = "http://www.w3.org/2000/svg";

export class Chooser {
  drawings = [];
  chosen = null; // its number, from 0

  /** `onChoose()` is called when another one was chosen. */
  constructor(fieldset, onChoose) {
    this.fieldset = fieldset;
    this.list = fieldset.querySelector("div");
    fieldset.addEventListener("change", ({ target }) => {
      this.chosen = Number(target.value);
      onChoose();
    });
  }

  get isOpen() {
    return !this.fieldset.hidden;
  }

  get strokes() {
    return this.chosen === null ? [] : this.drawings[this.chosen];
  }

  open(drawings) {
    this.drawings = drawings;
    this.chosen = null;
    this.list.replaceChildren(...drawings.map((strokes, number) => option(strokes, number, drawings.length)));
    this.fieldset.hidden = false;
    this.focus();
  }

  close() {
    this.chosen = null;
    this.fieldset.hidden = true;
  }

  focus() {
    this.list.querySelector("input:checked, input")?.focus();
  }
}

function option(strokes, number, count) {
  const label = made("label", undefined, "coach-choice");
  const input = made("input");
  Object.assign(input, { type: "radio", name: "given", value: number });
  input.setAttribute("aria-label", `Drawing ${number + 1} of ${count}`);
  label.append(input, drawn(strokes));
  return label;
}

/** The strokes, as large as the square that holds them allows. */
function drawn(strokes) {
  const [xs, ys] = [0, 1].map((axis) => strokes.flat().map((point) => point[axis]));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - top];
  const side = Math.max(width, height, 0.1) * 1.35;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", [left + width / 2 - side / 2, top + height / 2 - side / 2, side, side].join(" "));
  svg.setAttribute("aria-hidden", "true");
  for (const stroke of strokes) {
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("points", [...stroke, stroke.at(-1)].map(([x, y]) => `${x},${y}`).join(" "));
    line.setAttribute("stroke-width", side / 12);
    svg.append(line);
  }
  return svg;
}
