// What a proposal would change of a drawing, as the coach's words count it (tasks/coach_words.py): a proposal is
// fainter than a drawing, its lines are thicker or half a pixel aside, and nobody could draw that. So it is first made
// as dark as the drawing where it is darkest, and a pixel only counts as far as none beside it has the ink it lacks.

export const SIDE = 28;
const FULL = 200; // of 255: the drawing's pixels whose proposed ink says how dark the proposal is
const FAINTEST = 0.3; // of the drawing's darkness
const LINE = 0.5; // ink of a pixel that belongs to a line
const SWOLLEN = 0.2; // more of its lines' pixels lie inside them than in the drawing: the proposal's lines are thicker
const DIFFERENT = 0.2; // ink that a pixel differs by, for it to count
const SPOT = 1.2; // pixels of ink where such pixels lie together
const DARKEST = 0.35; // ink of the darkest of them

const AROUND = Array.from({ length: SIDE * SIDE }, (_, i) => {
  const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
  const near = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => [x + right, y + down]));
  return near.filter((place) => place.every((at) => at >= 0 && at < SIDE)).map(([column, row]) => row * SIDE + column);
});

/**
 * The change of each pixel that belongs to a place where something is to be added (above 0) or to be left out (below
 * 0), and 0 elsewhere; and the ink that stays. Pictures have 784 pixels from 0 to 255, the results count from 0 to 1.
 */
export function differences(picture, proposal) {
  const drawn = Float32Array.from(picture, (value) => value / 255);
  const dark = darkness(picture, proposal);
  const wanted = Float32Array.from(proposal, (value) => Math.min(value / 255 / dark, 1));
  const near = isSwollen(drawn, wanted) ? beside(beside(drawn)) : beside(drawn);
  const change = new Float32Array(SIDE * SIDE);
  for (const [spots, sign] of [[lyingTogether(wanted, near), 1], [lyingTogether(drawn, beside(wanted)), -1]]) {
    for (const spot of spots) {
      // With the pixels around it that change the same way: that is how thick the line would be.
      for (const i of spot.flatMap((one) => AROUND[one])) {
        const here = wanted[i] - drawn[i];
        if (here * sign > DIFFERENT) change[i] = here;
      }
    }
  }
  return { change, kept: wanted.map((value, i) => Math.min(value, drawn[i])) };
}

/** How dark a proposal is where the drawing has full ink: four in five of those pixels stay below it. */
function darkness(picture, proposal) {
  const shares = [...picture.keys()].filter((i) => picture[i] >= FULL).map((i) => proposal[i] / picture[i]);
  if (shares.length === 0) return 1;
  shares.sort((one, other) => one - other);
  return Math.min(Math.max(shares[Math.floor((shares.length * 4) / 5)], FAINTEST), 1);
}

/** The most ink of each pixel and those around it. */
function beside(ink) {
  return ink.map((_, i) => Math.max(...AROUND[i].map((j) => ink[j])));
}

function isSwollen(drawn, wanted) {
  const [before, after] = [drawn, wanted].map((ink) => {
    const cells = [...ink.keys()].filter((i) => ink[i] > LINE);
    return cells.filter((i) => AROUND[i].every((j) => ink[j] > LINE)).length / Math.max(cells.length, 1);
  });
  return after > before + SWOLLEN;
}

/** Where pixels have more ink in one than in the other, those that lie together, over sides and corners. */
function lyingTogether(more, less) {
  const difference = more.map((value, i) => Math.max(value - less[i], 0));
  const left = new Set([...difference.keys()].filter((i) => difference[i] > DIFFERENT));
  const found = [];
  for (const first of left) {
    const spot = [first];
    left.delete(first);
    for (const i of spot) spot.push(...AROUND[i].filter((j) => left.delete(j)));
    const ink = spot.map((i) => difference[i]);
    if (ink.reduce((sum, one) => sum + one, 0) >= SPOT && Math.max(...ink) > DARKEST) found.push(spot);
  }
  return found;
}
