// Two plots of one coach at many weights: how many proposals are read right, and how much ink they take, both against
// how much is changed.

export const WEIGHTS = ["classification", "efficiency", "discriminator"];

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [420, 270];
const EDGE = { left: 66, right: 14, top: 14, bottom: 44 };
const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}\u00a0%`;

/** Points of settings, each of which can be pressed: `take` gets its weights. */
export class Tradeoff {
  #marks = [];

  constructor(place, tradeoffs, take) {
    const changes = tradeoffs.map(({ change }) => change);
    const x = axis(Math.min(...changes), Math.max(...changes), EDGE.left, WIDTH - EDGE.right);
    for (const [name, title] of [["accuracy", "Proposals read right"], ["ink", "Ink used, of the drawing’s"]]) {
      const values = tradeoffs.map((one) => one[name]);
      const y = axis(Math.min(...values), Math.max(...values), HEIGHT - EDGE.bottom, EDGE.top);
      const plot = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title} against ink changed; the table has the best of them` });
      plot.append(...frame(x, y, title));
      for (const one of [...tradeoffs].sort((a, b) => a.best - b.best)) {
        const point = make("circle", { cx: x(one.change), cy: y(one[name]), r: one.best ? 5 : 3.5, class: one.best ? "best" : "" });
        point.append(Object.assign(make("title"), { textContent: words(one) }));
        point.addEventListener("click", () => take(one.weights));
        plot.append(point);
      }
      const mark = make("path", { d: "M-9 0H9M0 -9V9", class: "now", visibility: "hidden" });
      plot.append(mark);
      this.#marks.push({ mark, x, y, name });
      place.append(plot);
    }
  }

  /** Show where the weights of the sliders are, or hide it where nobody knows. */
  mark(found) {
    for (const { mark, x, y, name } of this.#marks) {
      const isKnown = found && !found.error;
      mark.setAttribute("visibility", isKnown ? "visible" : "hidden");
      if (isKnown) mark.setAttribute("transform", `translate(${x(found.change)} ${y(found[name])})`);
    }
  }
}

/** The settings that no other is better than, as rows with a button each. */
export function listBest(body, tradeoffs, take) {
  const best = tradeoffs.filter((one) => one.best).sort((a, b) => a.change - b.change);
  body.replaceChildren(
    ...best.map((one) => {
      const row = document.createElement("tr");
      const weights = WEIGHTS.map((name) => one.weights[name]);
      const cells = [...weights, percent(one.accuracy, 1), percent(one.change), percent(one.ink)];
      for (const text of cells) row.append(Object.assign(document.createElement("td"), { className: "number", textContent: text }));
      const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Take" });
      button.setAttribute("aria-label", `Take the weights ${weights.join(", ")}`);
      button.addEventListener("click", () => take(one.weights));
      row.append(Object.assign(document.createElement("td"), { className: "number" }));
      row.lastChild.append(button);
      return row;
    }),
  );
}

function words({ weights, accuracy, change, ink }) {
  const set = WEIGHTS.map((name) => `${name} ${weights[name]}`).join(", ");
  return `${set}: ${percent(accuracy, 1)} read right, ${percent(change)} of the ink changed, ${percent(ink)} of the ink used`;
}

/** From values to places, with some room at both ends. */
function axis(least, most, from, to) {
  const room = Math.max(most - least, 0.01) * 0.06;
  const [low, high] = [Math.max(least - room, 0), most + room];
  const place = (value) => from + ((value - low) / (high - low)) * (to - from);
  return Object.assign(place, { ticks: ticks(low, high) });
}

/** Round values, some four of them. */
function ticks(low, high) {
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= raw);
  const first = Math.ceil(low / step - 1e-9);
  const found = [];
  for (let number = first; number * step <= high + 1e-9; number += 1) found.push(number * step);
  return found;
}

function frame(x, y, title) {
  const [left, bottom] = [EDGE.left, HEIGHT - EDGE.bottom];
  const digits = (values) => (values[1] - values[0] < 0.01 ? 1 : 0);
  const parts = [];
  for (const value of y.ticks) {
    parts.push(make("path", { d: `M${left} ${y(value)}H${WIDTH - EDGE.right}`, class: "grid" }));
    parts.push(text(percent(value, digits(y.ticks)), { x: left - 8, y: y(value) + 4, "text-anchor": "end" }));
  }
  for (const value of x.ticks) {
    parts.push(make("path", { d: `M${x(value)} ${EDGE.top}V${bottom}`, class: "grid" }));
    parts.push(text(percent(value, digits(x.ticks)), { x: x(value), y: bottom + 18, "text-anchor": "middle" }));
  }
  parts.push(text("Ink changed, of the drawing’s", { x: (left + WIDTH - EDGE.right) / 2, y: HEIGHT - 6, "text-anchor": "middle", class: "title" }));
  const middle = (EDGE.top + bottom) / 2;
  parts.push(text(title, { x: 12, y: middle, "text-anchor": "middle", transform: `rotate(-90 12 ${middle})`, class: "title" }));
  return parts;
}

function make(name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function text(content, attributes) {
  return Object.assign(make("text", attributes), { textContent: content });
}
