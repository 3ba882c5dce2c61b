// A researcher's page of a coach: a drawing and three weights go to the server, whose proposal is shown; of what is
// asked while an answer is on its way only the last is asked for.

import { DrawingCanvas } from "./canvas.js";
import { drawDifference, drawPicture } from "./pictures.js";
import { drawBars, percent } from "./reading.js";
import { listBest, Tradeoff, WEIGHTS } from "./tradeoff.js";

const SPOKEN_MS = 600;

const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const share = (value) => `${Math.round(100 * value)}\u00a0%`;

const canvas = new DrawingCanvas(at("canvas"), { onChange: show });
const plots = new Tradeoff(at("plots"), data.tradeoffs, setWeights);

/** Asks the server; what it answers to an older question than the last is nobody's. */
class Asker {
  #wanted = null;
  #busy = false;

  constructor(address, use) {
    Object.assign(this, { address, use });
  }

  async ask(fields) {
    this.#wanted = fields;
    if (this.#busy) return;
    this.#busy = true;
    while (this.#wanted) {
      const asked = this.#wanted;
      const answer = await send(this.address, asked);
      if (asked !== this.#wanted) continue;
      this.#wanted = null;
      this.use(answer);
    }
    this.#busy = false;
  }

  forget() {
    this.#wanted = null;
  }
}

async function send(address, fields) {
  try {
    const body = new URLSearchParams({ ...data.with, ...fields });
    const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    return await answer.json();
  } catch {
    return { error: "The server did not answer as it should; load the page again." };
  }
}

const proposals = new Asker(data.propose, showProposal);
const expected = new Asker(data.typical, showTypical);

/** The weights as the sliders stand. */
function weights() {
  return Object.fromEntries(WEIGHTS.map((name) => [name, data.stops[name][at(name).value]]));
}

function setWeights(values) {
  for (const name of WEIGHTS) at(name).value = data.stops[name].indexOf(values[name]);
  show();
}

/** The drawing that is chosen; null where nothing is drawn yet. */
function drawing() {
  if (document.querySelector("[name=source]:checked").value === "sample") {
    return { picture: data.samples[document.querySelector("[name=sample]:checked").value].picture };
  }
  return canvas.strokes.length ? { strokes: JSON.stringify(canvas.strokes) } : null;
}

function show() {
  const chosen = weights();
  for (const name of WEIGHTS) {
    at(`${name}-value`).textContent = chosen[name];
    at(name).setAttribute("aria-valuetext", chosen[name]);
  }
  at("lines").textContent = [
    `coach = "${data.coach}"`,
    ...WEIGHTS.map((name) => `${name} = ${Number.isInteger(chosen[name]) ? chosen[name].toFixed(1) : chosen[name]}`),
  ].join("\n");
  expected.ask(chosen);
  canvas.element.toggleAttribute("data-empty", canvas.strokes.length === 0);
  const drawn = drawing();
  if (drawn) proposals.ask({ ...drawn, ...chosen, asked: at("asked").value });
  else showNothing();
}

function showNothing() {
  proposals.forget();
  at("pictures").hidden = true;
  at("words").textContent = "Draw something, and the coach proposes how to draw it better.";
  at("trouble").textContent = "";
}

function showProposal(answer) {
  at("trouble").textContent = answer.error ?? "";
  if (answer.error) return;
  const asked = at("asked").value;
  at("pictures").hidden = false;
  drawPicture(at("drawing").querySelector("canvas"), answer.picture);
  drawPicture(at("proposal").querySelector("canvas"), answer.proposal);
  const found = drawDifference(at("difference").querySelector("canvas"), answer.picture, answer.marks);
  at("to-add").hidden = !found.add;
  at("to-leave-out").hidden = !found.leaveOut;
  at("no-difference").hidden = found.add || found.leaveOut;
  const before = showReading("drawing", answer.read, answer.probabilities, asked);
  const after = showReading("proposal", answer.proposal_read, answer.proposal_probabilities, asked);
  at("changed").textContent = share(answer.change);
  at("used").textContent = share(answer.ink);
  at("words").textContent = answer.words;
  speak(`The drawing is read as ${before}. The proposal is read as ${after}. ${answer.words}`);
}

/** Show what was read, and how sure; and say it. */
function showReading(id, read, probabilities, asked) {
  const said = `${read}, ${percent(probabilities[data.classes.indexOf(read)])} sure`;
  at(id).querySelector("[data-read]").textContent = `read as ${said}`;
  at(id).toggleAttribute("data-wrong", read !== asked);
  drawBars(at(id).querySelector("ul"), { probabilities }, asked, data.classes);
  return said;
}

let speaking;
function speak(sentence) {
  clearTimeout(speaking); // not each of the steps of a slider that is dragged
  speaking = setTimeout(() => (at("spoken").textContent = sentence), SPOKEN_MS);
}

function showTypical(found) {
  plots.mark(found);
  if (found?.error) return;
  at("now").textContent = found
    ? `${share(found.accuracy)} of the proposals read right, ${share(found.change)} of the ink changed, ${share(found.ink)} of the ink used, by those measured around them`
    : "beyond what was measured";
}

function listSamples() {
  const options = data.samples.map(({ label, picture, read }, number) => {
    const option = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "sample", value: number, autocomplete: "off" });
    input.setAttribute("aria-label", `${label}, ${read === label ? "" : `misread as ${read}, `}test drawing ${number + 1}`);
    const shown = Object.assign(document.createElement("canvas"), { width: 28, height: 28 });
    shown.setAttribute("aria-hidden", "true");
    drawPicture(shown, picture);
    input.addEventListener("change", () => {
      at("asked").value = label;
      show();
    });
    option.toggleAttribute("data-misread", read !== label);
    option.append(input, shown);
    return option;
  });
  document.querySelector(".tune-samples").replaceChildren(...options);
  const first = Math.max(data.samples.findIndex(({ label, read }) => read !== label), 0); // there is most to see
  options[first].querySelector("input").checked = true;
  at("asked").value = data.samples[first].label;
}

for (const input of document.querySelectorAll("[name=source]")) {
  input.addEventListener("change", () => {
    at("samples").hidden = input.value === "own";
    at("own").hidden = input.value === "sample";
    show();
  });
}
for (const name of WEIGHTS) {
  at(name).max = data.stops[name].length - 1;
  at(name).addEventListener("input", show);
}
at("asked").addEventListener("change", show);
at("undo").addEventListener("click", () => canvas.undo());
at("clear").addEventListener("click", () => canvas.clear());
at("own-weights").addEventListener("click", () => setWeights(data.weights));
listSamples();
listBest(at("best"), data.tradeoffs, setWeights);
setWeights(data.weights);
