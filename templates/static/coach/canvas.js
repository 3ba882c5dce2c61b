// A square to write in with mouse, pen or finger; its strokes are those of tasks/coach_records.py: lists of [x, y, t],
// x and y in canvas widths from the upper left corner, t in milliseconds since the square was shown.
//
//     const canvas = new DrawingCanvas(element, { onPenUp, onChange });  // an empty element of class `drawing`
//     canvas.strokes;  canvas.undo();  canvas.clear();  canvas.disabled = true;  canvas.show(strokes);
//
// `onChange()` is called whenever a stroke begins, ends or is taken back, `onPenUp()` when one has ended. `show` puts
// strokes in the place of those that are there, and calls neither.

export const MOST_POINTS = 10_000; // in one drawing, as the server takes them
export const MOST_STROKES = 200;

const INK = 0.045; // canvas widths; in this proportion the pictures' ink is about as thick
const SHORTEST = 0.002; // canvas widths between two points of a stroke

const rounded = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits;
const within = (value) => rounded(Math.min(Math.max(value, 0), 1), 4);
const middle = (one, other) => [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];

export class DrawingCanvas {
  strokes = [];
  device = "mouse"; // what was written with, last: "mouse", "pen" or "touch"
  undone = 0; // strokes that were taken back, one by one or all at once
  #begin = performance.now();
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d");
  #pointer = null; // { id, type } of what is writing now
  #disabled = false;
  #colour = "";

  constructor(element, { onPenUp = () => {}, onChange = () => {} } = {}) {
    Object.assign(this, { element, onPenUp, onChange });
    this.#canvas.setAttribute("aria-hidden", "true");
    element.prepend(this.#canvas);
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
      element.addEventListener(kind, (event) => event.pointerId === this.#pointer?.id && this.#up(event));
    }
    element.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch
    new ResizeObserver(() => this.#resize()).observe(element);
  }

  get disabled() {
    return this.#disabled;
  }

  set disabled(value) {
    if (value) this.#up();
    this.#disabled = value;
    this.element.toggleAttribute("data-disabled", value);
  }

  /** Whether no more can be written. */
  get isFull() {
    const points = this.strokes.reduce((sum, stroke) => sum + stroke.length, 0);
    return points >= MOST_POINTS || (this.strokes.length >= MOST_STROKES && this.#pointer === null);
  }

  /** Milliseconds since it was shown. */
  get elapsed() {
    return performance.now() - this.#begin;
  }

  /** It is shown now, empty or with what was written before a reload, which took `elapsed` ms. */
  begin({ strokes = [], undone = 0, elapsed = 0, device = this.device } = {}) {
    Object.assign(this, { undone, device });
    this.#begin = performance.now() - elapsed;
    this.show(strokes);
  }

  show(strokes) {
    this.#up();
    this.strokes = [...strokes];
    this.#redraw();
  }

  /** Take the last stroke back; false where there is none. */
  undo() {
    return this.#takeBack(1);
  }

  /** Take all strokes back; false where there are none. */
  clear() {
    return this.#takeBack(this.strokes.length);
  }

  #takeBack(count) {
    if (this.#disabled) return false;
    this.#up();
    if (this.strokes.length === 0) return false;
    this.strokes = this.strokes.slice(0, -count);
    this.undone += count;
    this.#redraw();
    this.onChange();
    return true;
  }

  #down(event) {
    if (this.#disabled || event.button !== 0) return;
    event.preventDefault();
    if (this.#pointer?.type === "touch" && event.pointerType === "pen") {
      this.strokes = this.strokes.slice(0, -1); // the hand lay down before the pen
      this.#pointer = null;
      this.#redraw();
    }
    if (this.#pointer !== null || this.isFull) return;
    this.#pointer = { id: event.pointerId, type: event.pointerType };
    this.device = ["pen", "touch"].includes(event.pointerType) ? event.pointerType : "mouse";
    this.element.setPointerCapture(event.pointerId);
    this.strokes = [...this.strokes, []];
    this.#add(event, this.#canvas.getBoundingClientRect());
    this.onChange();
  }

  #move(event) {
    if (event.pointerId !== this.#pointer?.id) return;
    const box = this.#canvas.getBoundingClientRect();
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) this.#add(one, box);
    if (this.isFull) this.#up();
  }

  /** The pen is lifted; without an event, because the page wants it to be. */
  #up(event) {
    if (this.#pointer === null) return;
    const { id } = this.#pointer;
    const stroke = this.strokes.at(-1);
    if (event?.type === "pointerup" && !this.isFull) {
      const [x, y, t] = stroke.at(-1);
      stroke.push([x, y, Math.max(t, this.#time(event))]); // it may have rested before
    }
    this.#pointer = null; // first, as releasing it calls this again
    if (this.element.hasPointerCapture(id)) this.element.releasePointerCapture(id);
    this.#redraw();
    this.onChange();
    this.onPenUp();
  }

  #add(event, box) {
    const stroke = this.strokes.at(-1);
    const last = stroke.at(-1);
    const x = within((event.clientX - box.left) / box.width);
    const y = within((event.clientY - box.top) / box.height);
    if (last && Math.hypot(x - last[0], y - last[1]) < SHORTEST) return;
    if (this.strokes.reduce((sum, one) => sum + one.length, 0) >= MOST_POINTS) return;
    stroke.push([x, y, Math.max(this.#time(event), last?.[2] ?? this.strokes.at(-2)?.at(-1)[2] ?? 0)]);
    this.#ink(stroke, Math.max(stroke.length - 2, 0), stroke.length);
  }

  #time(event) {
    return Math.max(rounded(event.timeStamp - this.#begin, 1), 0);
  }

  #resize() {
    const width = Math.round(this.element.clientWidth * devicePixelRatio);
    if (width === 0 || width === this.#canvas.width) return; // it is hidden, or as before
    this.#canvas.width = width;
    this.#canvas.height = width;
    this.#redraw();
  }

  #redraw() {
    this.#colour = getComputedStyle(this.element).color;
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    for (const stroke of this.strokes) this.#ink(stroke, 0, stroke.length);
  }

  /** Draw from point `from` up to point `to` of a stroke: a curve through the middles between its points. */
  #ink(stroke, from, to) {
    const context = this.#context;
    const { width } = this.#canvas;
    context.setTransform(width, 0, 0, width, 0, 0);
    context.lineWidth = INK;
    context.lineCap = "round";
    context.lineJoin = "round";
    context.strokeStyle = this.#colour;
    context.beginPath();
    const [x, y] = from === 0 ? stroke[0] : middle(stroke[from - 1], stroke[from]);
    context.moveTo(x, y);
    for (let i = from; i + 1 < to; i += 1) {
      context.quadraticCurveTo(stroke[i][0], stroke[i][1], ...middle(stroke[i], stroke[i + 1]));
    }
    const end = stroke[to - 1];
    context.lineTo(end[0] + SHORTEST / 10, end[1]); // a line of no length would not be drawn, and a dot is one
    context.stroke();
    context.setTransform(1, 0, 0, 1, 0, 0);
  }
}
