// The example behind a point, shown beside it: an image or a signal.

import { lookOf, markElement } from "./palette.js";

const DELAY_MS = 120;
const MOST_KEPT = 500; // items
const GAP = 16; // pixels between a point and its panel
const IMAGE_SIDE = 128; // pixels on the screen, for the longer side
const CHART = { width: 240, height: 120, left: 34, bottom: 18, top: 6 };

export class ItemPanel {
  #items = new Map(); // point -> promise of its ItemPicture
  #timer = 0;
  point = null;

  /** `panel` lies over the plot; `fetchItem(point)` resolves to an ItemPicture. */
  constructor(panel, plot, fetchItem) {
    Object.assign(this, { panel, plot, fetchItem });
  }

  /** Forget what was fetched: another session. */
  clear() {
    this.#items.clear();
    this.look(null);
  }

  /** Show a point's item after a moment; with null, none. */
  look(point) {
    if (point === this.point) return;
    this.point = point;
    this.plot.look(point);
    clearTimeout(this.#timer);
    this.panel.hidden = true;
    if (point !== null) this.#timer = setTimeout(() => this.#show(point), DELAY_MS);
  }

  async #show(point) {
    const { classes } = this.plot.state;
    const { labels, predictions } = this.plot.scene();
    const title = document.createElement("p");
    title.className = "loop-item-title";
    title.append(markElement(labels[point]), classes[labels[point]]);
    const taken = document.createElement("p");
    const isRight = predictions[point] === labels[point];
    taken.append(isRight ? "✓ recognised" : "✗ taken for ", ...(isRight ? [] : [bold(classes[predictions[point]])]));
    let picture;
    try {
      picture = drawn(await this.#fetch(point), lookOf(labels[point]));
    } catch (error) {
      picture = Object.assign(document.createElement("p"), { textContent: error.message });
    }
    if (this.point !== point) return;
    this.panel.replaceChildren(title, taken, picture);
    this.panel.hidden = false;
    this.#place(point);
  }

  #fetch(point) {
    if (!this.#items.has(point)) {
      const promise = this.fetchItem(point);
      promise.catch(() => this.#items.delete(point)); // the next look tries again
      this.#items.set(point, promise);
      if (this.#items.size > MOST_KEPT) this.#items.delete(this.#items.keys().next().value);
    }
    return this.#items.get(point);
  }

  /** Beside the point, wholly within the plot. */
  #place(point) {
    const { plot, panel } = this;
    const { view } = plot;
    const { x, y } = plot.scene();
    const [px, py] = [view.x(x[point]), view.y(y[point])];
    const { offsetWidth: width, offsetHeight: height } = panel;
    const places = [
      [px + GAP, py - height / 2], [px - GAP - width, py - height / 2],
      [px - width / 2, py + GAP], [px - width / 2, py - GAP - height],
    ].map(([left, top]) => [
      Math.max(Math.min(left, view.width - width - 4), 4),
      Math.max(Math.min(top, view.height - height - 4), 4),
    ]);
    const covers = ([left, top]) => left < px && px < left + width && top < py && py < top + height;
    const [left, top] = places.find((place) => !covers(place)) ?? places[0];
    panel.style.left = `${left}px`;
    panel.style.top = `${top}px`;
  }
}

function bold(text) {
  return Object.assign(document.createElement("b"), { textContent: text });
}

function drawn(item, look) {
  const canvas = document.createElement("canvas");
  if (item.kind === "image") drawImage(canvas, item);
  else drawSignal(canvas, item, look);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", item.kind === "image" ? "the image" : `the signal: ${item.names.join(", ")}`);
  return canvas;
}

function drawImage(canvas, { width, height, channels, pixels }) {
  const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
  const data = new ImageData(width, height);
  for (let i = 0; i < width * height; i += 1) {
    for (let c = 0; c < 3; c += 1) data.data[4 * i + c] = bytes[channels * i + (channels === 3 ? c : 0)];
    data.data[4 * i + 3] = 255;
  }
  Object.assign(canvas, { width, height, className: "loop-pixels" });
  canvas.getContext("2d").putImageData(data, 0, 0);
  const times = Math.max(IMAGE_SIDE / Math.max(width, height), 1);
  canvas.style.width = `${Math.round(times * width)}px`;
}

const DASHES = [[], [5, 3], [1.5, 2.5], [8, 3, 2, 3]];
const INKS = ["#0072b2", "#a84900", "#00724f", "#a14379", "#4b4e54", "#7a7100"];

function drawSignal(canvas, { names, hertz, series }) {
  const { width, height, left, bottom, top } = CHART;
  const shown = series.slice(0, INKS.length);
  const keyHeight = 15 * Math.ceil(shown.length / 3);
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  Object.assign(canvas, { width: width * ratio, height: (height + keyHeight) * ratio });
  canvas.style.width = `${width}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const low = Math.min(...shown.map((values) => Math.min(...values)));
  const high = Math.max(...shown.map((values) => Math.max(...values)));
  const y = (value) => top + (height - top - bottom) * (1 - (value - low) / (high - low || 1));
  const x = (i, count) => left + ((width - left - 4) * i) / Math.max(count - 1, 1);
  context.strokeStyle = "#e0ddd5";
  context.strokeRect(left + 0.5, top + 0.5, width - left - 5, height - top - bottom);
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = "#55606d";
  context.textAlign = "right";
  context.fillText(high.toPrecision(2), left - 4, top + 9);
  context.fillText(low.toPrecision(2), left - 4, height - bottom);
  const seconds = hertz ? `${(series[0].length / hertz).toPrecision(2)} s` : `${series[0].length} values`;
  context.fillText(seconds, width - 4, height - 4);
  context.textAlign = "left";
  context.fillText("0", left, height - 4);
  context.lineJoin = "round";
  context.lineWidth = 1.5;
  shown.forEach((values, channel) => {
    context.strokeStyle = INKS[channel];
    context.setLineDash(DASHES[channel % DASHES.length]);
    context.beginPath();
    values.forEach((value, i) => context.lineTo(x(i, values.length), y(value)));
    context.stroke();
    const [kx, ky] = [4 + (channel % 3) * (width / 3), height + 10 + 15 * Math.floor(channel / 3)];
    context.beginPath();
    context.moveTo(kx, ky - 3);
    context.lineTo(kx + 18, ky - 3);
    context.stroke();
    context.fillText(names[channel] ?? `${channel + 1}`, kx + 22, ky, width / 3 - 24);
  });
}
