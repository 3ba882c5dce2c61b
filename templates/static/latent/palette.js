// How classes look: a colour and a shape each, so that no pair of both comes twice among the first 56 classes.
// The colours are those of Okabe and Ito, which people with any colour vision tell apart (their black is a grey here:
// black borders mean a mistake). The bright ones have too little contrast with a light ground, so every mark has an
// edge in a dark tone of its colour, with a contrast of at least 4.2. Neighbouring classes differ in both, colour and shape.

const COLOURS = [
  { fill: "#0072b2", edge: "#005a8e" },
  { fill: "#e69f00", edge: "#8a5f00" },
  { fill: "#009e73", edge: "#00724f" },
  { fill: "#cc79a7", edge: "#a14379" },
  { fill: "#f0e442", edge: "#7a7100" },
  { fill: "#56b4e9", edge: "#1b75a8" },
  { fill: "#d55e00", edge: "#a84900" },
  { fill: "#6b6f76", edge: "#4b4e54" },
];
const SHAPES = ["circle", "square", "triangle", "diamond", "star", "down", "hexagon"];

/** The colour and the shape of a class: { fill, edge, shape }. */
export function lookOf(label) {
  return { ...COLOURS[label % COLOURS.length], shape: SHAPES[label % SHAPES.length] };
}

/** The corners of a shape around (0, 0), of about the same area as a circle of radius 1; null for the circle. */
export function corners(shape) {
  const around = (count, radius, turn, inner = null) => {
    const found = [];
    const all = inner === null ? count : 2 * count;
    for (let i = 0; i < all; i += 1) {
      const angle = turn + (2 * Math.PI * i) / all;
      const r = inner !== null && i % 2 ? inner : radius;
      found.push([r * Math.cos(angle), r * Math.sin(angle)]);
    }
    return found;
  };
  switch (shape) {
    case "square": return around(4, 1.26, Math.PI / 4);
    case "triangle": return around(3, 1.5, -Math.PI / 2);
    case "diamond": return around(4, 1.36, 0);
    case "down": return around(3, 1.5, Math.PI / 2);
    case "star": return around(5, 1.5, -Math.PI / 2, 0.68);
    case "hexagon": return around(6, 1.12, 0);
    default: return null;
  }
}

/** Put the outline of a shape on a canvas context, as its current path. */
export function tracePath(context, shape, x, y, radius) {
  const points = corners(shape);
  context.beginPath();
  if (points === null) context.arc(x, y, radius, 0, 2 * Math.PI);
  else for (const [px, py] of points) context.lineTo(x + radius * px, y + radius * py);
  context.closePath();
}

/** A class's mark as an SVG element of 16 x 16, for the legend. */
export function markElement(label) {
  const { fill, edge, shape } = lookOf(label);
  const points = corners(shape);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const mark = document.createElementNS(svg.namespaceURI, points ? "polygon" : "circle");
  if (points) mark.setAttribute("points", points.map(([x, y]) => `${8 + 5 * x},${8 + 5 * y}`).join(" "));
  else for (const [name, value] of [["cx", 8], ["cy", 8], ["r", 5]]) mark.setAttribute(name, value);
  mark.setAttribute("fill", fill);
  mark.setAttribute("stroke", edge);
  mark.setAttribute("stroke-width", 1.5);
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "mark");
  svg.setAttribute("aria-hidden", "true");
  svg.append(mark);
  return svg;
}
