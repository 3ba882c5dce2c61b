// From the plane to the screen and back: one scale for both axes, y upwards.

const MOST_ZOOM = 400; // times the view that shows all
const LEAST_ZOOM = 0.2;
const MARGIN = 0.1;

export class View {
  constructor() {
    this.width = this.height = 1;
    this.scale = this.fitScale = 1; // CSS pixels for one unit
    this.left = 0; // where (0, 0) of the plane lies
    this.top = 0;
  }

  get zoom() {
    return this.scale / this.fitScale;
  }

  x(x) {
    return this.left + this.scale * x;
  }

  y(y) {
    return this.top - this.scale * y;
  }

  planeX(x) {
    return (x - this.left) / this.scale;
  }

  planeY(y) {
    return (this.top - y) / this.scale;
  }

  /** Another size of the window: what was in the middle stays there. */
  resize(width, height) {
    const [x, y] = [this.planeX(this.width / 2), this.planeY(this.height / 2)];
    const grown = Math.min(width, height) / Math.max(Math.min(this.width, this.height), 1);
    this.width = width;
    this.height = height;
    this.scale *= grown;
    this.fitScale *= grown;
    this.left = width / 2 - this.scale * x;
    this.top = height / 2 + this.scale * y;
  }

  /** Show all points of these arrays: [[xs, ys], …]. */
  fit(arrays) {
    let [lowX, highX, lowY, highY] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const [xs, ys] of arrays) {
      for (let i = 0; i < xs.length; i += 1) {
        if (xs[i] < lowX) lowX = xs[i];
        if (xs[i] > highX) highX = xs[i];
        if (ys[i] < lowY) lowY = ys[i];
        if (ys[i] > highY) highY = ys[i];
      }
    }
    if (lowX > highX) return;
    const room = 1 - 2 * MARGIN;
    const wide = Math.max(highX - lowX, highY - lowY, 1e-9) * 1e-3;
    this.scale = Math.min(
      (room * this.width) / Math.max(highX - lowX, wide),
      (room * this.height) / Math.max(highY - lowY, wide),
    );
    this.fitScale = this.scale;
    this.left = this.width / 2 - (this.scale * (lowX + highX)) / 2;
    this.top = this.height / 2 + (this.scale * (lowY + highY)) / 2;
  }

  /** Zoom by a factor; the place at (x, y) on the screen stays. */
  zoomAt(x, y, factor) {
    const scale = Math.min(Math.max(this.scale * factor, LEAST_ZOOM * this.fitScale), MOST_ZOOM * this.fitScale);
    const by = scale / this.scale;
    this.left = x + by * (this.left - x);
    this.top = y + by * (this.top - y);
    this.scale = scale;
  }

  pan(dx, dy) {
    this.left += dx;
    this.top += dy;
  }
}
