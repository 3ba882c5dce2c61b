// Which point lies under the pointer: the points in cells of the plane, so that few of 100,000 are looked at.

const POINTS_PER_CELL = 4;
const MOST_CELLS_ASIDE = 512;

export class Grid {
  constructor(x, y) {
    this.x = x;
    this.y = y;
    const count = x.length;
    let [lowX, highX, lowY, highY] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < count; i += 1) {
      if (x[i] < lowX) lowX = x[i];
      if (x[i] > highX) highX = x[i];
      if (y[i] < lowY) lowY = y[i];
      if (y[i] > highY) highY = y[i];
    }
    this.aside = Math.min(Math.max(Math.ceil(Math.sqrt(count / POINTS_PER_CELL)), 1), MOST_CELLS_ASIDE);
    this.lowX = lowX;
    this.lowY = lowY;
    this.perX = this.aside / (highX - lowX || 1);
    this.perY = this.aside / (highY - lowY || 1);
    this.starts = new Int32Array(this.aside * this.aside + 1);
    const cells = new Int32Array(count);
    for (let i = 0; i < count; i += 1) {
      cells[i] = this.#row(y[i]) * this.aside + this.#column(x[i]);
      this.starts[cells[i] + 1] += 1;
    }
    for (let cell = 0; cell < this.starts.length - 1; cell += 1) this.starts[cell + 1] += this.starts[cell];
    const next = this.starts.slice();
    this.points = new Int32Array(count);
    for (let i = 0; i < count; i += 1) {
      this.points[next[cells[i]]] = i;
      next[cells[i]] += 1;
    }
  }

  /** The point nearest to (x, y) within `radius`, or null; `accepts` says which points count. */
  nearest(x, y, radius, accepts = () => true) {
    let found = null;
    let least = radius * radius;
    for (let row = this.#row(y - radius); row <= this.#row(y + radius); row += 1) {
      const first = this.starts[row * this.aside + this.#column(x - radius)];
      const end = this.starts[row * this.aside + this.#column(x + radius) + 1];
      for (let i = first; i < end; i += 1) {
        const point = this.points[i];
        const distance = (this.x[point] - x) ** 2 + (this.y[point] - y) ** 2;
        if (distance <= least && accepts(point)) {
          least = distance;
          found = point;
        }
      }
    }
    return found;
  }

  #column(x) {
    return Math.min(Math.max(Math.floor((x - this.lowX) * this.perX), 0), this.aside - 1);
  }

  #row(y) {
    return Math.min(Math.max(Math.floor((y - this.lowY) * this.perY), 0), this.aside - 1);
  }
}

/** The points within a closed polygon of the plane: [[x, y], …]. */
export function inside(polygon, x, y) {
  const xs = polygon.map(([px]) => px);
  const ys = polygon.map(([, py]) => py);
  const [lowX, highX, lowY, highY] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const found = [];
  for (let i = 0; i < x.length; i += 1) {
    if (x[i] < lowX || x[i] > highX || y[i] < lowY || y[i] > highY) continue;
    let within = false;
    for (let a = 0, b = xs.length - 1; a < xs.length; b = a, a += 1) {
      if (ys[a] > y[i] !== ys[b] > y[i] && x[i] < ((xs[b] - xs[a]) * (y[i] - ys[a])) / (ys[b] - ys[a]) + xs[a]) {
        within = !within;
      }
    }
    if (within) found.push(i);
  }
  return found;
}
