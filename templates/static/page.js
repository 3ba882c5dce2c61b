// Every page: errors get the focus, a form is posted once, an answer that still waits is sent.

import { deliver, waiting } from "./queue.js";

document.querySelector("[data-summary]")?.focus();

// The browser's back button may show a page from its memory; the server knows what comes next.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

const ONCE_MS = 5_000;
for (const form of document.querySelectorAll("form[data-once]")) {
  let posted = -Infinity;
  form.addEventListener("submit", (event) => {
    if (event.timeStamp - posted < ONCE_MS) event.preventDefault();
    else posted = event.timeStamp;
  });
}

const copy = document.querySelector("[data-copy]");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    const code = document.querySelector("[data-code]");
    const said = document.querySelector("[data-copied]");
    try {
      await navigator.clipboard.writeText(code.textContent);
      said.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(code);
      said.textContent = "The code is selected: copy it with your keyboard.";
    }
  });
}

// An answer whose confirmation got lost: the page of a trial sends it itself.
const { base } = document.body.dataset;
const entry = base && !document.querySelector("form[data-trial]") && waiting(base);
if (entry) {
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const { next, stays } = await deliver(base, entry, pause);
  if (next && !stays) location.replace(next);
}
