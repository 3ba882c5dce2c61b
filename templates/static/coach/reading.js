// What the recogniser made of a drawing, in words and bars.

const SHOWN = 3; // classes in the bars
const SURE = [[0.9, "very sure"], [0.7, "fairly sure"], [0.4, "not so sure"], [0, "quite unsure"]];

export function made(name, text, kind) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

export function percent(share) {
  const value = 100 * share;
  if (value < 1) return "under 1\u00a0%";
  return value > 99 ? "over 99\u00a0%" : `${Math.round(value)}\u00a0%`;
}

/** How sure it is: "very sure, 97 %". */
export function sureWords(reading) {
  const share = Math.max(...reading.probabilities);
  return `${SURE.find(([least]) => share >= least)[1]}, ${percent(share)}`;
}

/** A sentence with classes in frames: the strings of `parts` that are arrays hold a class each. */
export function sentence(element, parts) {
  element.replaceChildren(...parts.map((part) => (Array.isArray(part) ? made("b", part[0], "coach-class") : part)));
}

/** What to say of a reading; `before` is that of the first attempt, for the second one. */
export function verdict(reading, asked, before = null) {
  const isRight = reading.read === asked;
  const wasRight = before === null ? null : before.read === asked;
  const [read, right] = [[reading.read], [asked]];
  if (isRight && wasRight !== false) {
    return ["The recogniser reads ", read, `${wasRight ? " again" : ""}: that is right.`];
  }
  if (isRight) return ["Now the recogniser reads ", read, ": that is right."];
  const said = wasRight === null || wasRight || before.read !== reading.read ? "reads " : "still reads ";
  return [`${wasRight === null ? "The" : "This time the"} recogniser ${said}`, read, ", not ", right, "."];
}

/** The most probable classes as bars, and the one that was asked for. */
export function drawBars(list, reading, asked, classes) {
  const rows = classes.map((name, i) => ({ name, share: reading.probabilities[i] }));
  rows.sort((one, other) => other.share - one.share);
  const shown = rows.filter(({ name }, i) => i < SHOWN || name === asked);
  list.replaceChildren(...shown.map(({ name, share }) => {
    const row = made("li");
    row.toggleAttribute("data-asked", name === asked);
    const bar = made("span", undefined, "coach-bar");
    const filled = made("span");
    filled.style.width = `${100 * share}%`;
    bar.append(filled);
    const label = made("span", name, "coach-bar-name");
    if (name === asked) label.append(made("small", "asked"));
    row.append(label, bar, made("span", percent(share), "coach-bar-share"));
    return row;
  }));
}
