// The validation accuracy after each epoch, with a line where the participant stepped in. A small SVG.

const WIDTH = 260;
const HEIGHT = 104;
const BOX = { left: 40, right: 8, top: 8, bottom: 20 };

function svg(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** Draw a record's curve into `holder`; `epochs` is how many there will be. */
export function drawCurve(holder, { curve, interactions, pretraining }, epochs) {
  const values = curve.map(({ accuracy }) => accuracy);
  const low = Math.floor(10 * Math.min(...values)) / 10;
  const high = Math.max(Math.ceil(10 * Math.max(...values)) / 10, low + 0.1);
  const x = (epoch) => BOX.left + ((WIDTH - BOX.left - BOX.right) * (epoch - 1)) / Math.max(epochs - 1, 1);
  const y = (value) => BOX.top + (HEIGHT - BOX.top - BOX.bottom) * (1 - (value - low) / (high - low));
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const last = curve.at(-1);
  const own = interactions.filter(({ without_person: isAlone }) => !isAlone);
  drawing.setAttribute("aria-label",
    `Accuracy by epoch: ${(100 * values[0]).toFixed(1)} % after epoch 1, ${(100 * last.accuracy).toFixed(1)} % after ` +
    `epoch ${last.epoch} of ${epochs}; you stepped in after ${stepsIn(own, pretraining, last.epoch)}.`);
  const [width, height] = [x(pretraining) - BOX.left, HEIGHT - BOX.top - BOX.bottom];
  drawing.append(svg("rect", { class: "curve-pretraining", x: BOX.left, y: BOX.top, width, height }));
  for (const value of [low, high]) {
    drawing.append(
      svg("line", { class: "curve-grid", x1: BOX.left, x2: WIDTH - BOX.right, y1: y(value), y2: y(value) }),
      svg("text", { x: BOX.left - 5, y: y(value) + 4, "text-anchor": "end" }, `${Math.round(100 * value)} %`),
    );
  }
  const next = last.epoch < epochs && own.length === interactions.length ? last.epoch : null;
  const lines = [...own.map(({ epoch }) => epoch), next];
  for (const epoch of new Set(lines.filter((one) => one !== null))) {
    const [x1, x2] = [x(epoch), x(epoch)];
    drawing.append(svg("line", { class: "curve-interaction", x1, x2, y1: BOX.top, y2: HEIGHT - BOX.bottom }));
  }
  const points = curve.map(({ epoch, accuracy }) => `${x(epoch).toFixed(1)},${y(accuracy).toFixed(1)}`);
  drawing.append(
    svg("polyline", { class: "curve-line", points: points.join(" ") }),
    svg("circle", { class: "curve-dot", cx: x(last.epoch), cy: y(last.accuracy), r: 3.5 }),
    svg("text", { x: BOX.left, y: HEIGHT - 5 }, "epoch 1"),
    svg("text", { x: WIDTH - BOX.right, y: HEIGHT - 5, "text-anchor": "end" }, `${epochs}`),
  );
  holder.replaceChildren(drawing);
}

function stepsIn(own, pretraining, reached) {
  const epochs = own.map(({ epoch }) => epoch);
  if (epochs.length) return `epoch ${epochs.join(", ")}`;
  if (reached > pretraining) return "none";
  return `none yet; the network was trained for ${pretraining} epochs without you`;
}
