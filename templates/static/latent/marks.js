// The marks of points, copied to where the points lie: few of them as pictures by the canvas, many pixel by pixel,
// which takes a tenth of the time.

import { lookOf, tracePath } from "./palette.js";

const FEW = 2_000;

/** One drawn mark for each class, right and wrong. */
export class Marks {
  #scratch = null; // for many points: a canvas, and its pixels

  constructor(classes, radius, ratio) {
    this.radius = radius;
    this.classes = classes;
    this.size = 2 * Math.ceil((1.6 * radius + 3) * ratio);
    const all = [...Array(classes).keys()];
    this.right = all.map((label) => this.#draw(lookOf(label), ratio, false));
    this.wrong = all.map((label) => this.#draw(lookOf(label), ratio, true));
  }

  /**
   * Copy the marks of the points in `order` that `mask` leaves onto a canvas; `place` turns the plane into its pixels:
   * { scale, left, top }.
   */
  copy(context, { x, y, labels, predictions }, order, mask, { scale, left, top }) {
    const { width, height } = context.canvas;
    const { size, right, wrong } = this;
    const half = size / 2;
    const many = order.length > FEW ? this.#pixels(width, height) : null;
    context.setTransform(1, 0, 0, 1, 0, 0);
    for (let i = 0; i < order.length; i += 1) {
      const point = order[i];
      if (mask !== null && mask[point]) continue;
      const px = Math.round(left + scale * x[point] - half);
      const py = Math.round(top - scale * y[point] - half);
      if (px <= -size || py <= -size || px >= width || py >= height) continue;
      const label = labels[point];
      const mark = predictions[point] === label ? right[label] : wrong[label];
      if (many === null) context.drawImage(mark.picture, px, py);
      else if (px < 0 || py < 0 || px + size > width || py + size > height) blendAtEdge(many, mark, px, py, width, height);
      else blend(many, mark, py * width + px, width);
    }
    if (many === null) return;
    this.#scratch.context.putImageData(this.#scratch.data, 0, 0);
    context.drawImage(this.#scratch.canvas, 0, 0);
  }

  #pixels(width, height) {
    if (this.#scratch?.canvas.width !== width || this.#scratch.canvas.height !== height) {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d", { willReadFrequently: true }); // its pixels stay in memory
      const data = context.createImageData(width, height);
      this.#scratch = { canvas, context, data, pixels: new Uint32Array(data.data.buffer) };
    }
    return this.#scratch.pixels.fill(0);
  }

  #draw({ fill, edge, shape }, ratio, isWrong) {
    const canvas = new OffscreenCanvas(this.size, this.size);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const { radius } = this;
    context.translate(this.size / 2, this.size / 2);
    context.scale(ratio, ratio);
    context.lineJoin = "round";
    tracePath(context, shape, 0, 0, radius);
    if (isWrong) {
      // A black border, and a thin light line within it, so that it is seen around dark colours, too.
      const width = Math.min(Math.max(0.32 * radius, 0.9), 2.2);
      context.lineWidth = 2 * width + 1;
      context.strokeStyle = "#000";
      context.stroke();
      context.lineWidth = 1;
      context.strokeStyle = "#fff";
      context.stroke();
      context.fillStyle = fill;
      context.fill();
    } else {
      context.fillStyle = fill;
      context.fill();
      context.lineWidth = Math.min(Math.max(0.25 * radius, 0.6), 1.4);
      context.strokeStyle = edge;
      context.stroke();
    }
    return { ...listed(context.getImageData(0, 0, this.size, this.size)), picture: canvas.transferToImageBitmap() };
  }
}

/** The pixels of a mark that are not empty: their columns, rows, and colours as they lie in memory. */
function listed({ width, data }) {
  const colours = new Uint32Array(data.buffer);
  const kept = [...colours.keys()].filter((i) => data[4 * i + 3] > 8);
  return {
    columns: Int32Array.from(kept, (i) => i % width),
    rows: Int32Array.from(kept, (i) => Math.floor(i / width)),
    colours: Uint32Array.from(kept, (i) => colours[i]),
  };
}

function blend(pixels, { columns, rows, colours }, start, width) {
  for (let i = 0; i < colours.length; i += 1) put(pixels, start + rows[i] * width + columns[i], colours[i]);
}

function blendAtEdge(pixels, { columns, rows, colours }, px, py, width, height) {
  for (let i = 0; i < colours.length; i += 1) {
    const [x, y] = [px + columns[i], py + rows[i]];
    if (x >= 0 && y >= 0 && x < width && y < height) put(pixels, y * width + x, colours[i]);
  }
}

/** One colour over another; both are alpha, blue, green, red from the highest byte on (every browser's machine). */
function put(pixels, at, colour) {
  const alpha = colour >>> 24;
  const below = pixels[at];
  if (alpha > 247 || below === 0) {
    pixels[at] = colour;
    return;
  }
  const belowAlpha = ((below >>> 24) * (255 - alpha)) / 255;
  const sum = alpha + belowAlpha;
  const share = alpha / sum;
  const red = (below & 255) + share * ((colour & 255) - (below & 255));
  const green = ((below >>> 8) & 255) + share * (((colour >>> 8) & 255) - ((below >>> 8) & 255));
  const blue = ((below >>> 16) & 255) + share * (((colour >>> 16) & 255) - ((below >>> 16) & 255));
  pixels[at] = ((sum << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
