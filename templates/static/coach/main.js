// The page on which somebody writes, is read, and writes again: puts its parts together.
// See templates/tasks/coach.html.

import { LiveError, LiveSteps } from "../live.js";
import { queueWords } from "../waiting.js";
import { DrawingCanvas } from "./canvas.js";
import { Chooser } from "./chooser.js";
import { Draft } from "./draft.js";
import { Panel } from "./panel.js";
import { sentence } from "./reading.js";
import { WritingSteps } from "./steps.js";

const ATTEMPTS = 2;
const root = document.querySelector("[data-coach]");
const form = document.querySelector("form[data-trial]");
const options = JSON.parse(root.dataset.options);
const { asked } = options;
const isReadAlong = options.reads === "at-pen-up";
const find = (name) => root.querySelector(`[data-${name}]`);
const save = form.querySelector("button.primary");

let attempts = [];
let marks = null; // of the proposal
let isWriting = false;
let isAsking = false;

export const canvas = new DrawingCanvas(find("canvas"), {
  onPenUp: readAlong,
  onChange() {
    trouble(canvas.isFull ? "The box is full: press Done, or undo something." : "");
    changed();
  },
});
const chooser = new Chooser(find("given"), () => {
  trouble("");
  changed();
  readAlong();
});
const panel = new Panel(root, options);
const draft = new Draft(`crowdloom:drawing:${form.dataset.base}:${form.elements.trial.value}`);
const steps = new WritingSteps(new LiveSteps(form.dataset.base, form.elements.trial.value), {
  job: showJob,
  waits(does) {
    find("waits").textContent = does
      ? "The connection is interrupted. Your drawing stays here and is sent again by itself; " +
        "please leave this page open."
      : "";
  },
});

const attempt = () => attempts.length + 1;
const heard = (text) => (find("heard").textContent = text);

function trouble(text) {
  find("trouble").textContent = text && `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** Show the trial as it stands on the server. */
function adopt(found) {
  const { writing } = found;
  attempts = writing?.attempts ?? [];
  marks = found.marks ?? marks;
  form.elements.writing.value = writing ? JSON.stringify(writing) : "";
  root.dataset.phase = "there";
  find("preparing").hidden = true;
  if (attempts.length >= ATTEMPTS) finish();
  else if (attempts.length === 0 || draft.of(attempt())) write();
  else review();
}

/** A new attempt, or the one that was begun before a reload. */
function write() {
  isWriting = true;
  root.dataset.phase = "writing";
  const isFirst = attempts.length === 0;
  find("attempt").textContent = isFirst ? "First attempt" : "Second attempt";
  root.toggleAttribute("data-second", !isFirst);
  sentence(find("asked"), isFirst ? ["Write ", [asked]] : ["Now write ", [asked], " again"]);
  const [last] = attempts;
  if (last?.proposal) panel.proposal(last.reading, last.proposal, marks);
  else if (last) panel.first(last.reading);
  chooser.close();
  canvas.begin(draft.of(attempt()) ?? { undone: 0 });
  draft.keep(attempt(), canvas);
  showAside();
  changed();
  if (canvas.strokes.length) readAlong();
  if (last && last.drawing.given !== null) choose(); // who chose before would rather choose again
}

/** What stands beside an unfinished drawing: what is known of the first attempt, and how the present one is read. */
function showAside(...more) {
  const known = attempts.length === 0 ? [] : [attempts[0].proposal ? "proposal" : "first"];
  panel.show(...(known.length + more.length ? [...known, ...more] : ["advice"]));
}

function review() {
  stop("First attempt");
  const [{ reading, proposal, drawing }] = attempts;
  canvas.show(drawing.strokes);
  const said = [panel.reading(reading)];
  if (proposal) said.push(panel.proposal(reading, proposal, marks));
  panel.show("reading", ...(proposal ? ["proposal"] : []), "next");
  heard(said.join(" "));
}

function finish() {
  stop("Second attempt");
  const readings = attempts.map(({ reading }) => reading);
  canvas.show(attempts.at(-1).drawing.strokes);
  const said = panel.reading(readings[1], readings[0]);
  panel.both(readings);
  panel.show("reading", "both");
  form.toggleAttribute("data-done", true);
  heard(`${said} Now save and go on.`);
}

function stop(what) {
  isWriting = false;
  steps.forget();
  canvas.disabled = true;
  chooser.close();
  root.dataset.phase = attempts.length >= ATTEMPTS ? "done" : "read";
  find("attempt").textContent = what;
  sentence(find("asked"), ["Asked for ", [asked]]);
}

/** The drawing, or what may be done with it, has changed. */
function changed() {
  const isChoosing = chooser.isOpen;
  canvas.disabled = !isWriting || isAsking || isChoosing;
  find("canvas").hidden = isChoosing;
  find("tools").hidden = isChoosing;
  find("other").textContent = isChoosing
    ? "Back to writing it myself"
    : "I cannot or would rather not write: choose a drawing";
  for (const name of ["undo", "clear"]) {
    find(name).setAttribute("aria-disabled", canvas.disabled || canvas.strokes.length === 0);
  }
  find("canvas").toggleAttribute("data-empty", canvas.strokes.length === 0);
  if (!isWriting) return;
  if (!isChoosing) draft.keep(attempt(), canvas);
  if (strokes().length === 0) {
    steps.forget();
    showAside();
  }
}

const strokes = () => (chooser.isOpen ? chooser.strokes : canvas.strokes);

function drawing() {
  const isGiven = chooser.isOpen;
  return {
    strokes: strokes(),
    device: isGiven ? "keyboard" : canvas.device,
    given: isGiven ? chooser.chosen : null,
    seconds: Math.round(canvas.elapsed) / 1000,
    undone: canvas.undone,
  };
}

/** Have the unfinished drawing read, where the study wants that. */
async function readAlong() {
  if (!isReadAlong || !isWriting || strokes().length === 0) return;
  await trying(async () => {
    const read = await steps.look(attempt(), drawing());
    if (read === null || !isWriting) return;
    const { reading, proposal } = read;
    const said = [panel.reading(reading, attempts[0]?.reading)];
    if (attempts.length === 0 && proposal) said.push(panel.proposal(reading, proposal, read.marks));
    showAside("reading", ...(attempts.length === 0 && proposal ? ["proposal"] : []));
    heard(said.join(" "));
  });
}

async function done() {
  if (isAsking || !isWriting) return;
  if (strokes().length === 0) {
    trouble(chooser.isOpen ? "Choose one of the drawings first." : `The box is empty: write ${asked} first.`);
    if (chooser.isOpen) chooser.focus();
    return;
  }
  trouble("");
  await ask(async () => {
    const read = await steps.finish(attempt(), drawing());
    adopt(read);
    lookAtResult();
  });
}

/** While the server is asked, the drawing stays as it is. */
async function ask(what) {
  isAsking = true;
  find("done").setAttribute("aria-busy", "true");
  find("done").textContent = "Reading …";
  changed();
  await trying(what);
  isAsking = false;
  find("done").removeAttribute("aria-busy");
  find("done").textContent = "Done";
  changed();
}

/** What fails is said, and then the trial is shown as the server has it. */
async function trying(what) {
  try {
    await what();
  } catch (error) {
    if (!(error instanceof LiveError)) throw error;
    const [wrong] = Object.values(error.errors ?? {});
    trouble(wrong ? `This drawing cannot be read. ${wrong} Please start again.` : error.message);
    if (error.status !== 422) return;
    const found = await steps.state();
    if ((found.writing?.attempts.length ?? 0) === attempts.length) return;
    adopt(found);
    trouble("This attempt was done in another window; this is what came of it.");
  }
}

/** What came of it is brought into sight, and what comes next gets the focus. */
function lookAtResult() {
  const next = attempts.length >= ATTEMPTS ? save : find("again");
  next.focus({ preventScroll: true });
  bringIntoSight(next);
}

/** Where something is out of sight, the page is scrolled to where this attempt begins. */
function bringIntoSight(element) {
  const { top, bottom } = element.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight || find("asked").getBoundingClientRect().top < 0) find("asked").scrollIntoView();
}

async function choose() {
  if (chooser.isOpen) {
    chooser.close();
    changed();
    if (canvas.strokes.length) readAlong();
    return;
  }
  await trying(async () => {
    const { drawings } = await steps.given(attempt());
    chooser.open(drawings);
    changed();
  });
}

function showJob(job) {
  find("preparing").hidden = job === null;
  if (job === null) return;
  const bar = find("progress");
  if (job.state === "queued" || !job.progress) bar.removeAttribute("value");
  else bar.value = job.progress;
  find("job").textContent = job.state === "queued" ? queueWords(job) : job.message;
}

async function start() {
  root.dataset.phase = "preparing";
  find("failed").hidden = true;
  try {
    adopt(await steps.start());
  } catch (error) {
    if (!(error instanceof LiveError)) throw error;
    find("preparing").hidden = true;
    find("failed").hidden = false;
    trouble(error.message);
  }
}

find("undo").addEventListener("click", () => canvas.undo() && readAlong());
find("clear").addEventListener("click", () => canvas.clear());
find("done").addEventListener("click", done);
find("other").addEventListener("click", choose);
find("try").addEventListener("click", start);
find("again").addEventListener("click", () => {
  write();
  find("asked").focus({ preventScroll: true });
  bringIntoSight(find("done"));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || !isWriting) return;
  event.preventDefault();
  if (canvas.undo()) readAlong();
});
window.addEventListener("pagehide", () => isWriting && draft.keep(attempt(), canvas));
// Before the page's own listener: the answer is not sent while an attempt is left.
document.addEventListener("submit", (event) => {
  if (event.target !== form || attempts.length >= ATTEMPTS) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });
start();
