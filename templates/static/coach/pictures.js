// The recogniser's pictures (28 x 28 pixels, base64) as ink on paper, and what differs between two of them.

const SIDE = 28;
const ENLARGED = 12; // pixels of the difference for one of the picture
const INK = [27, 35, 45];
const PAPER = [253, 252, 250];
const KEPT = [176, 181, 188];
const ADD = [28, 98, 196];
const LEAVE_OUT = [196, 62, 28];
const [AS_IT_IS, STRONGEST] = [128, 127];
const LEAST = 0.16; // of full ink: where a change begins, between its pixels and those beside them
const SOFT = 0.06; // over so much its edge fades

export function unpacked(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Draw a picture, pixel by pixel. */
export function drawPicture(canvas, text) {
  const picture = unpacked(text);
  paint(canvas, SIDE, (image, i) => image.set(mixed(PAPER, INK, picture[i] / 255), 4 * i));
}

/** Draw what a proposal would change of a picture, by the marks of tasks/coach_changes.py: blue with plus signs is to be
    added, red stripes are to be left out, grey stays. Returns which of the two there are. */
export function drawDifference(canvas, text, marks) {
  const change = Float32Array.from(unpacked(marks), (mark) => (mark - AS_IT_IS) / STRONGEST);
  const kept = Float32Array.from(unpacked(text), (value, i) => value / 255 + Math.min(change[i], 0));
  const size = ENLARGED * SIDE;
  const [changes, grounds] = [enlarged(change), enlarged(kept)];
  paint(canvas, size, (image, i) => {
    const ground = mixed(PAPER, KEPT, grounds[i]);
    const strength = Math.min(Math.max((Math.abs(changes[i]) - LEAST) / SOFT + 0.5, 0), 1);
    const [x, y] = [i % size, Math.floor(i / size)];
    image.set(strength === 0 ? ground : mixed(ground, changes[i] > 0 ? added(x, y) : leftOut(x, y), strength), 4 * i);
  });
  return { add: change.some((one) => one > 0), leaveOut: change.some((one) => one < 0) };
}

/** Blue with plus signs. */
function added(x, y) {
  const [across, down] = [Math.abs((x % 16) - 8), Math.abs((y % 16) - 8)];
  return (across < 1.5 && down < 5) || (down < 1.5 && across < 5) ? PAPER : ADD;
}

/** Red stripes. */
function leftOut(x, y) {
  return (x + y) % 12 < 7 ? LEAVE_OUT : PAPER;
}

function paint(canvas, size, pixel) {
  canvas.width = size;
  canvas.height = size;
  const image = new ImageData(size, size);
  image.data.fill(255);
  for (let i = 0; i < size * size; i += 1) pixel(image.data, i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function mixed(one, other, share) {
  return one.map((value, i) => value + share * (other[i] - value));
}

/** Linear interpolation between the middles of the pixels. */
function enlarged(values) {
  const size = ENLARGED * SIDE;
  const places = Array.from({ length: size }, (_, i) => {
    const place = Math.min(Math.max((i + 0.5) / ENLARGED - 0.5, 0), SIDE - 1);
    const low = Math.min(Math.floor(place), SIDE - 2);
    return [low, place - low];
  });
  const result = new Float32Array(size * size);
  for (let y = 0; y < size; y += 1) {
    const [row, down] = places[y];
    for (let x = 0; x < size; x += 1) {
      const [column, across] = places[x];
      const i = row * SIDE + column;
      const upper = values[i] + across * (values[i + 1] - values[i]);
      const lower = values[i + SIDE] + across * (values[i + SIDE + 1] - values[i + SIDE]);
      result[y * size + x] = upper + down * (lower - upper);
    }
  }
  return result;
}
