// The page of a trial: measures time, fetches the next image early, and sends the answer so that no
// failure of the network or the server loses it. Without this file the form is a plain one.

import { deliver, waiting } from "./queue.js";
import { startTiming, waitFor } from "./timing.js";

const form = document.querySelector("form[data-trial]");
const { base, nextImage } = form.dataset;
const image = document.querySelector("[data-stimulus], .answer img");
const button = form.querySelector("button.primary");
const questions = form.querySelector("[data-questions]");
const status = form.querySelector("[data-status]");
const sendNow = form.querySelector("[data-send-now]");
const minimum = 1000 * (form.dataset.minimum ?? 0);
const timing = startTiming(form, image, form.elements.timing.value || timeBeforeReload());
let sending = false;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const measured = timing.read();
  if (sending || measured.rt_ms < minimum) return;
  form.elements.timing.value = JSON.stringify({ ...measured, retries: 0 });
  send({ trial: form.elements.trial.value, fields: [...new FormData(form)], timing: measured, retries: 0 });
});

// Where an answer has to wait, a reload goes on with the time that the trial has had in this tab.

function timeBeforeReload() {
  try {
    const { trial, timing } = JSON.parse(sessionStorage.getItem(`crowdloom:time:${base}`));
    return minimum && trial === form.elements.trial.value ? JSON.stringify(timing) : null;
  } catch {
    return null; // none was kept, or the browser gives no storage
  }
}

function keepTime() {
  try {
    const spent = { trial: form.elements.trial.value, timing: timing.read() };
    sessionStorage.setItem(`crowdloom:time:${base}`, JSON.stringify(spent));
  } catch {
    // no storage: a reload counts anew
  }
}
if (minimum) window.addEventListener("pagehide", keepTime);

async function send(entry) {
  sending = true;
  form.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
  button.textContent = "Saving …";
  const outcome = await deliver(base, entry, pause);
  if (outcome.next) {
    location.replace(outcome.next);
  } else if (entry.trial === form.elements.trial.value) {
    form.submit(); // the server answers with the page, its errors beside their fields
  } else {
    location.reload();
  }
}

function pause(ms, kept) {
  questions.inert = true; // what is kept is what will be sent
  status.classList.add("kept");
  const text = kept
    ? "The connection is interrupted. Your answer is kept on this device and is being sent again by itself. " +
      "You can wait, or close this page and come back later with the same link."
    : "The connection is interrupted. Your answer is kept on this page and is being sent again by itself. " +
      "Please leave this page open.";
  if (status.textContent !== text) status.textContent = text; // said once, not at every attempt
  sendNow.hidden = false;
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    window.addEventListener("online", resolve, { once: true });
    sendNow.addEventListener("click", resolve, { once: true });
  });
}

function fill(fields) {
  for (const [name, value] of fields) {
    for (const control of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (control.type === "radio" || control.type === "checkbox") control.checked ||= control.value === value;
      else if (name !== "shown_at") control.value = value;
    }
  }
}

const left = waiting(base);
if (left) {
  if (left.trial === form.elements.trial.value) fill(left.fields);
  form.elements.timing.value = JSON.stringify({ ...left.timing, retries: left.retries });
  send(left);
} else if (minimum) {
  waitFor(button, timing, minimum);
}

const preload = () => nextImage && Object.assign(new Image(), { fetchPriority: "low", src: nextImage });
if (image && !image.complete) image.addEventListener("load", preload, { once: true });
else preload();

function imageTrouble() {
  document.querySelector("[data-image-trouble]").textContent =
    "An image could not be loaded. Please check your connection and reload the page before you answer.";
}
for (const shown of document.querySelectorAll(".stimulus img, .answer img")) {
  shown.addEventListener("error", imageTrouble);
  if (shown.loading !== "lazy" && shown.complete && shown.naturalWidth === 0) imageTrouble();
}
