// Where the points lie, what was done to them, and how it is undone. Knows nothing of screens.
//
// Whatever moves points is a gesture: it begins with the points that it moves, shifts or scales them from where they
// were as often as it likes, and is committed (it can then be undone) or cancelled.

const LARGEST = 1e6; // as far out as the server takes a coordinate
const MOST_REMEMBERED = 1_500_000; // moved points in the history: 48 MB

/** Six significant digits. */
const rounded = (value) => Number(value.toPrecision(6));
const clamped = (value) => Math.min(Math.max(value, -LARGEST), LARGEST);

export class Arrangement {
  #undone = [];
  #done = [];
  #remembered = 0;

  /** `x`, `y`: where the network put the points; `labels`: their classes, of `classes` in all. */
  constructor({ x, y, labels, classes }) {
    this.count = x.length;
    this.classes = classes;
    this.labels = Int32Array.from(labels);
    this.originX = Float64Array.from(x);
    this.originY = Float64Array.from(y);
    this.x = this.originX.slice();
    this.y = this.originY.slice();
    this.#group();
    this.centreX = new Float64Array(classes);
    this.centreY = new Float64Array(classes);
    this.spread = new Float64Array(classes);
    this.measure();
  }

  /** The points of a class. */
  members(label) {
    return this.order.subarray(this.starts[label], this.starts[label + 1]);
  }

  /** All points, class by class; those of `last`, if it is a class, come last, so that they are drawn above the others. */
  ordered(last) {
    if (last === null) return this.order;
    const members = this.members(last);
    const sorted = new Int32Array(this.count);
    sorted.set(this.order.subarray(0, this.starts[last]));
    sorted.set(this.order.subarray(this.starts[last + 1]), this.starts[last]);
    sorted.set(members, this.count - members.length);
    return sorted;
  }

  /** Put all points where they were left, without a movement. */
  place(x, y) {
    this.x.set(x);
    this.y.set(y);
    this.measure();
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  get isChanged() {
    return this.x.some((value, i) => value !== this.originX[i]) || this.y.some((value, i) => value !== this.originY[i]);
  }

  /** Centres (NaN without points) and spreads (mean distance to the centre) of these classes, or of all. */
  measure(labels = null) {
    for (const label of labels ?? Array(this.classes).keys()) {
      const members = this.members(label);
      let x = 0;
      let y = 0;
      for (const point of members) {
        x += this.x[point];
        y += this.y[point];
      }
      x /= members.length;
      y /= members.length;
      let spread = 0;
      for (const point of members) spread += Math.hypot(this.x[point] - x, this.y[point] - y);
      this.centreX[label] = x;
      this.centreY[label] = y;
      this.spread[label] = spread / members.length;
    }
  }

  /** Begin to move these points; `label` is their class where it is one. */
  begin(kind, points, label = null) {
    return new Gesture(this, kind, Int32Array.from(points), label);
  }

  /** Take the last gesture back; the points that moved, or null. */
  undo() {
    return this.#step(this.#done, this.#undone, "from");
  }

  /** Do it again. */
  redo() {
    return this.#step(this.#undone, this.#done, "to");
  }

  /** All points as the network put them, as one gesture that is not yet committed. */
  reset() {
    const gesture = this.begin("reset", Array(this.count).keys());
    this.x.set(this.originX);
    this.y.set(this.originY);
    this.measure();
    return gesture;
  }

  remember(entry) {
    this.#done.push(entry);
    this.#undone = [];
    this.#remembered += entry.points.length;
    while (this.#remembered > MOST_REMEMBERED && this.#done.length > 1) {
      this.#remembered -= this.#done.shift().points.length;
    }
  }

  #step(source, target, side) {
    const entry = source.pop();
    if (!entry) return null;
    target.push(entry);
    const [x, y] = entry[side];
    entry.points.forEach((point, i) => {
      this.x[point] = x[i];
      this.y[point] = y[i];
    });
    this.measure(entry.labels);
    return entry;
  }

  #group() {
    this.starts = new Int32Array(this.classes + 1);
    for (const label of this.labels) this.starts[label + 1] += 1;
    for (let label = 0; label < this.classes; label += 1) this.starts[label + 1] += this.starts[label];
    const next = this.starts.slice();
    this.order = new Int32Array(this.count);
    this.labels.forEach((label, point) => {
      this.order[next[label]] = point;
      next[label] += 1;
    });
  }
}

class Gesture {
  constructor(arrangement, kind, points, label) {
    this.arrangement = arrangement;
    this.kind = kind;
    this.points = points;
    this.label = label;
    this.dx = 0;
    this.dy = 0;
    this.factor = 1;
    this.labels = label === null ? [...new Set(points.map((point) => arrangement.labels[point]))] : [label];
    this.from = [points, points].map((_, axis) => {
      const values = axis ? arrangement.y : arrangement.x;
      return Float64Array.from(points, (point) => values[point]);
    });
    this.centreX = arrangement.centreX[this.labels[0]];
    this.centreY = arrangement.centreY[this.labels[0]];
    const counts = new Map();
    for (const point of points) counts.set(arrangement.labels[point], (counts.get(arrangement.labels[point]) ?? 0) + 1);
    this.shares = this.labels.map((one) => counts.get(one) / arrangement.members(one).length);
    this.centres = this.labels.map((one) => [arrangement.centreX[one], arrangement.centreY[one]]);
  }

  /** Shift the points to (dx, dy) from where they were; only their centres are kept up to date until `commit`. */
  shift(dx, dy) {
    this.dx = dx;
    this.dy = dy;
    this.#place();
    this.labels.forEach((label, i) => {
      this.arrangement.centreX[label] = this.centres[i][0] + this.shares[i] * dx;
      this.arrangement.centreY[label] = this.centres[i][1] + this.shares[i] * dy;
    });
  }

  /** Multiply the distances of the class's points from its centre. */
  scale(factor) {
    this.factor = factor;
    this.#place();
    this.arrangement.measure(this.labels);
  }

  /** Leave the points where they are now; the movement for the server, or null where nothing moved. */
  commit(atMs) {
    const { arrangement, points, kind } = this;
    arrangement.measure(this.labels);
    const to = [arrangement.x, arrangement.y].map((values) => Float64Array.from(points, (point) => values[point]));
    if (to.every((values, axis) => values.every((value, i) => value === this.from[axis][i]))) return null;
    arrangement.remember({ points, labels: this.labels, from: this.from, to, kind, label: this.label });
    return {
      at_ms: Math.round(atMs),
      kind,
      label: kind === "reset" ? null : this.labels.length === 1 ? this.labels[0] : null,
      point: points.length === 1 && kind !== "reset" ? points[0] : null,
      points: points.length,
      dx: rounded(clamped(this.dx)),
      dy: rounded(clamped(this.dy)),
      factor: ["gather", "spread", "keys"].includes(kind) ? rounded(this.factor) : null,
    };
  }

  /** Put the points back. */
  cancel() {
    this.dx = this.dy = 0;
    this.factor = 1;
    this.#place();
    this.arrangement.measure(this.labels);
  }

  #place() {
    const { x, y } = this.arrangement;
    const [fromX, fromY] = this.from;
    const { points, factor, dx, dy, centreX, centreY } = this;
    if (factor === 1) {
      for (let i = 0; i < points.length; i += 1) {
        x[points[i]] = clamped(fromX[i] + dx);
        y[points[i]] = clamped(fromY[i] + dy);
      }
      return;
    }
    for (let i = 0; i < points.length; i += 1) {
      x[points[i]] = clamped(centreX + factor * (fromX[i] - centreX) + dx);
      y[points[i]] = clamped(centreY + factor * (fromY[i] - centreY) + dy);
    }
  }
}
