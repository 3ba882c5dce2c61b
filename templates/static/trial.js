// The page of a trial: measures time, fetches the next image early, and sends the answer so that no
// failure of the network or the server loses it. Without this file the form is a plain one.

import { deliver, waiting } from "./queue.js";
import { startTiming } from "./timing.js";

const form = document.querySelector("form[data-trial]");
const { base, nextImage } = form.dataset;
const image = document.querySelector("[data-stimulus]");
const button = form.querySelector("button.primary");
const questions = form.querySelector("[data-questions]");
const status = form.querySelector("[data-status]");
const sendNow = form.querySelector("[data-send-now]");
const timing = startTiming(form, image, form.elements.timing.value);
let sending = false;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (sending) return;
  const measured = timing.read();
  form.elements.timing.value = JSON.stringify({ ...measured, retries: 0 });
  send({ trial: form.elements.trial.value, fields: [...new FormData(form)], timing: measured, retries: 0 });
});

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
}

const preload = () => nextImage && Object.assign(new Image(), { fetchPriority: "low", src: nextImage });
if (image && !image.complete) image.addEventListener("load", preload, { once: true });
else preload();

function imageTrouble() {
  document.querySelector("[data-image-trouble]").textContent =
    "The image could not be loaded. Please check your connection and reload the page before you answer.";
}
image?.addEventListener("error", imageTrouble);
if (image?.complete && image.naturalWidth === 0) imageTrouble();
