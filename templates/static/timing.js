// How long a trial took, on this device's clocks: `performance.now()` for durations, `Date.now()` for dates.

const MOST_FOCUS_CHANGES = 500;

/**
 * Measures from now, or from when the image has come, until `read()` is called.
 *
 * `earlier` is the timing (JSON text) of a first try that the server sent back with errors: it goes on.
 */
export function startTiming(form, image, earlier) {
  const before = earlier ? JSON.parse(earlier) : { rt_ms: 0, first_input_ms: null, focus: [] };
  const focus = [...before.focus];
  let opened = Date.now();
  let start = performance.now();
  let firstInput = before.first_input_ms;
  const sinceStart = () => Math.round(10 * (before.rt_ms + performance.now() - start)) / 10;

  if (image && !image.complete) {
    image.addEventListener("load", () => {
      opened = Date.now();
      start = performance.now();
    }, { once: true });
  }
  form.addEventListener("input", () => (firstInput ??= sinceStart()));
  const note = (change) => focus.length < MOST_FOCUS_CHANGES && focus.push([sinceStart(), change]);
  window.addEventListener("blur", () => note("blur"));
  window.addEventListener("focus", () => note("focus"));
  document.addEventListener("visibilitychange", () => note(document.visibilityState));

  return {
    read: () => ({
      opened: before.opened ?? opened,
      submitted: Date.now(),
      rt_ms: sinceStart(),
      first_input_ms: firstInput,
      focus,
    }),
  };
}

/** Lets a trial's button send only once `minimum` milliseconds are over; until then it says how long it takes. */
export function waitFor(button, timing, minimum) {
  const text = button.textContent;
  const tick = () => {
    const left = minimum - timing.read().rt_ms;
    const over = left <= 0;
    if (over) button.removeAttribute("aria-disabled");
    else button.setAttribute("aria-disabled", "true");
    button.textContent = over ? text : `${text} (in ${Math.ceil(left / 1000)} s)`;
    if (!over) setTimeout(tick, Math.min(left, 250));
  };
  tick();
}
