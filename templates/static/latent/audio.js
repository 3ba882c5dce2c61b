// Think-aloud: asks, records, shows it, stops. Nothing is recorded before a click on "Yes"; on the pages after it
// recording goes on by itself, unless the participant stopped it.

import { Pieces } from "./audio_pieces.js";

const PIECE_MS = 5_000;
const BITS_A_SECOND = 32_000;
const FORMATS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const TROUBLE = {
  NotAllowedError: "Your browser does not let this page use the microphone. Allow it in the address bar, then try again.",
  NotFoundError: "No microphone was found. Connect one, then try again.",
  NotReadableError: "The microphone is in use by another program. Close that, then try again.",
};

const NOT_BEGUN = "Recording could not begin; please try again.";

const part = document.querySelector("[data-voice]");
const { base, trial } = part.dataset;
const views = [...part.querySelectorAll("[data-voice-is]")];
const said = part.querySelector("[data-voice-said]");
const time = part.querySelector("[data-voice-time]");
const level = part.querySelector("[data-voice-level]");
const pieces = new Pieces(base, trial, {
  onRefused: (sentence) => {
    if (!recorder) return;
    stop();
    show("off", sentence);
  },
  onWaiting: (count) => {
    const text = "The connection is interrupted. What you say is kept on this page and sent when the connection is back.";
    if (count && said.textContent !== text) say(text);
    else if (!count && said.textContent === text) say("");
  },
});
let recorder = null;

function show(name, sentence = "") {
  const focused = part.contains(document.activeElement) && document.activeElement !== document.body;
  for (const view of views) view.hidden = view.dataset.voiceIs !== name;
  part.hidden = false;
  say(sentence);
  // The button that was pressed is gone; the keyboard goes on where it was.
  if (focused) views.find((view) => !view.hidden)?.querySelector("button")?.focus();
}

function say(sentence) {
  said.textContent = sentence;
}

// Whether the participant stopped the recording, for the next pages in this tab.

function stopped(value) {
  const key = `crowdloom:voice:${base}`;
  try {
    if (value === undefined) return sessionStorage.getItem(key) !== null;
    if (value) sessionStorage.setItem(key, "stopped");
    else sessionStorage.removeItem(key);
  } catch {
    // no storage: recording goes on by itself after a reload
  }
  return value ?? false;
}

async function record() {
  if (recorder) return;
  const mimeType = window.MediaRecorder && FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
  if (!navigator.mediaDevices?.getUserMedia || !mimeType) {
    return show("off", "This browser cannot record. You can go on without, or open the same link in another browser.");
  }
  let stream, next;
  try {
    const state = await pieces.state();
    if (!state.consent) return show(state.consent === null ? "ask" : "no");
    next = state.next;
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    return show("off", TROUBLE[error.name] ?? NOT_BEGUN);
  }
  const mine = (recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS_A_SECOND }));
  const recording = { number: next };
  let chunk = 0;
  let begins = performance.now();
  mine.addEventListener("start", () => {
    begins = performance.now();
  });
  mine.addEventListener("dataavailable", ({ data }) => {
    if (data.size) {
      pieces.add({ recording, chunk, atMs: begins, blob: data });
      chunk += 1;
    }
    begins = performance.now();
  });
  mine.addEventListener("stop", () => {
    for (const track of stream.getTracks()) track.stop();
    if (recorder !== mine) return; // it was us who stopped it
    recorder = null;
    show("off", "The microphone is gone.");
  });
  mine.start(PIECE_MS);
  const hide = watch(stream, begins);
  mine.addEventListener("stop", hide);
  show("on");
}

function stop() {
  const mine = recorder;
  recorder = null;
  if (mine && mine.state !== "inactive") mine.stop();
}

// The time and the loudness, while a recording goes on; a silent microphone is to be seen.

function watch(stream, begins) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const clock = setInterval(() => {
    const seconds = Math.floor((performance.now() - begins) / 1000);
    time.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    level.hidden = context.state !== "running"; // a page that nobody has clicked may not listen yet
    analyser.getFloatTimeDomainData(samples);
    level.value = Math.min(1, 6 * Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length));
  }, 200);
  const wake = () => context.resume();
  document.addEventListener("pointerdown", wake, { once: true });
  return () => {
    clearInterval(clock);
    document.removeEventListener("pointerdown", wake);
    context.close();
  };
}

async function decide(decision) {
  const body = new URLSearchParams({ decision });
  const address = `${base}/audio/consent?trial=${encodeURIComponent(trial)}`;
  try {
    const answer = await fetch(address, { method: "POST", body, credentials: "omit" });
    if (answer.ok) return true;
    say((await answer.json()).error);
  } catch {
    say("The server cannot be reached; please try again.");
  }
  return false;
}

const ACTIONS = {
  async agree() {
    if (!(await decide("yes"))) return;
    stopped(false);
    await record();
  },
  async refuse() {
    if (await decide("no")) show("no");
  },
  async record() {
    stopped(false);
    await record();
  },
  stop() {
    stopped(true);
    stop();
    show("off");
  },
  withdraw() {
    show("withdraw");
  },
  async delete() {
    pieces.drop();
    if (await decide("delete")) show("no", "What was recorded is deleted.");
  },
  back() {
    show("off");
  },
};

part.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-voice-do]");
  if (!button || part.ariaBusy === "true") return;
  part.ariaBusy = "true";
  await ACTIONS[button.dataset.voiceDo]();
  part.ariaBusy = "false";
});

// What was said until now goes before the page does.
const flush = () => recorder?.state === "recording" && recorder.requestData();
document.querySelector("form[data-trial]")?.addEventListener("submit", flush);
window.addEventListener("pagehide", () => {
  flush();
  pieces.hurry();
});

try {
  const { consent } = await pieces.state();
  if (consent === null) show("ask");
  else if (!consent) show("no");
  else if (stopped()) show("off");
  else await record();
} catch {
  show("off", NOT_BEGUN);
}
