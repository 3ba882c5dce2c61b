// The page of a session of HILL: puts its parts together. See templates/tasks/latent_session.html.

import { LiveSteps } from "../live.js";
import { Controls } from "./controls.js";
import { ItemPanel } from "./item.js";
import { Keyboard } from "./keyboard.js";
import { Legend } from "./legend.js";
import { Plot } from "./plot.js";
import { Pointer } from "./pointer.js";
import { Session } from "./session.js";

const MOST_MOVEMENTS = 5_000; // in one interaction, as the server takes them
const DIGITS = 7; // of the largest coordinate
const REST_AGAIN_MS = 5_000;
const root = document.querySelector("[data-loop]");
const form = document.querySelector("form[data-trial]");
const options = JSON.parse(root.dataset.options);
const find = (name) => root.querySelector(`[data-${name}]`);
const stage = find("plot");

let movements = [];
let shownAt = performance.now();
let isOverHere = false; // by this page's clock

const say = (sentence) => (find("said").textContent = sentence);
const elapsed = () => performance.now() - shownAt;

export const plot = new Plot(find("canvases"), {
  elapsed,
  moved(movement) {
    movements.push(movement);
    session.changed();
    controls.arranged();
    if (movements.length >= MOST_MOVEMENTS) show();
  },
  selected: () => legend.selected(),
});
const session = new Session(new LiveSteps(form.dataset.base, form.elements.trial.value), arranged, {
  state: adopt,
  job: (job) => controls.job(job),
  trouble: (sentence) => controls.trouble(sentence),
  kept: () => controls.trouble(""),
  moved: () => movements.length > 0,
  busy: show,
});
const legend = new Legend(find("classes"), find("pairs"), plot);
const panel = new ItemPanel(find("item"), plot, (point) => session.item(point));
const look = (point) => panel.look(point);
const pointer = new Pointer(stage, plot, { look, say });
const controls = new Controls(root, form, options, {
  plot, pointer, session, say, undo, redo, train,
  timeIsOver() {
    isOverHere = true;
    show();
  },
});
new Keyboard([stage, find("classes")], plot, pointer, { look, say, undo, redo });

/** The arrangement as it goes to the server, in as many digits as matter. */
function arranged() {
  const { x, y } = plot.arrangement;
  let largest = 1e-6;
  for (const values of [x, y]) for (const value of values) largest = Math.max(largest, Math.abs(value));
  const factor = 10 ** (DIGITS - Math.ceil(Math.log10(largest)));
  const short = (values) => Array.from(values, (value) => Math.round(value * factor) / factor);
  return { x: short(x), y: short(y), alpha: controls.alpha, movements };
}

/** Show a state of the session; with `stays` the arrangement is left as it is. */
function adopt(state, stays) {
  form.elements.session.value = JSON.stringify(state.record);
  if (!stays) {
    movements = [...(state.draft?.movements ?? [])];
    shownAt = performance.now() - Math.max(movements.at(-1)?.at_ms ?? 0, shownBefore(state));
    plot.show(state);
    panel.clear();
  }
  legend.show(state);
  controls.show(state, stays);
  isOverHere = false;
  show();
}

/** What may be done now. */
function show() {
  const { state, isBusy } = session;
  const isDone = state !== null && state.number > state.interactions;
  const isOver = state !== null && !isDone && (isOverHere || state.seconds_left <= 0);
  const isFull = movements.length >= MOST_MOVEMENTS;
  if (isOver && !isBusy) {
    plot.canArrange = false;
    plot.finish();
    controls.phase("over");
    rest();
    return;
  }
  const phase = phaseOf(state, isBusy, isDone);
  plot.canArrange = phase === "arranging" && !isFull;
  if (plot.arrangement) plot.painter.draw();
  if (isFull && phase === "arranging") say("That were many movements; now let the network train.");
  controls.phase(phase);
}

function phaseOf(state, isBusy, isDone) {
  if (isBusy) return state ? "training" : "opening";
  if (!state) return "failed";
  if (isDone) return "done";
  return state.paused ? "paused" : "arranging";
}

let restTimer = null;
let restAttempts = 0;

/** The time is over: what is left is trained without the participant. After an error it waits before it asks again. */
function rest() {
  restAttempts += 1;
  clearTimeout(restTimer);
  restTimer = setTimeout(() => session.rest(), restAttempts === 1 ? 0 : REST_AGAIN_MS);
}

function train(epochs) {
  plot.finish();
  look(null);
  session.train({ seconds: Math.round(elapsed()) / 1000, epochs });
}

function undo() {
  goBack("undo", "Taken back.", "There is nothing to undo.");
}

function redo() {
  goBack("redo", "Done again.", "There is nothing to do again.");
}

function goBack(kind, done, otherwise) {
  if (!plot.mayArrange) say("The points cannot be moved now."); // keys come at any time
  else say(plot[kind]() ? done : otherwise);
}

// For how long this arrangement was shown before a reload, as far as this tab knows.

const shownKey = `crowdloom:shown:${form.dataset.base}:${form.elements.trial.value}`;

function shownBefore({ number }) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(shownKey));
    return kept?.number === number ? kept.ms : 0;
  } catch {
    return 0; // no storage: it counts from the last movement
  }
}

function leave() {
  plot.finish();
  session.keep({ leaves: true });
  if (!session.state) return;
  try {
    sessionStorage.setItem(shownKey, JSON.stringify({ number: session.state.number, ms: elapsed() }));
  } catch {
    // no storage
  }
}

window.addEventListener("pagehide", leave);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") leave();
});
stage.addEventListener("focusout", () => look(null));
find("again").addEventListener("click", () => session.start());
session.start();
