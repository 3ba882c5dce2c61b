// The classes beside the plot: their marks, how many of each are recognised and what the last training changed,
// and which classes are taken for which.

import { aloneOf } from "./alone.js";
import { markElement } from "./palette.js";

const PAIRS = 3;

/** How a share has changed, in points: { sign: "gained" | "lost" | "same", text }. */
export function change(now, before) {
  const points = Math.round(1000 * (now - before)) / 10;
  if (points === 0) return { sign: "same", text: "± 0" };
  return points > 0 ? { sign: "gained", text: `▲ +${points}` } : { sign: "lost", text: `▼ −${-points}` };
}

export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;

/** An element for a change, whose meaning is also said. */
export function changeElement(now, before, unit = "points") {
  const { sign, text } = change(now, before);
  const element = made("span", text, "loop-change");
  element.dataset.change = sign;
  const said = { gained: " gained", lost: " lost", same: " as before" }[sign];
  element.append(made("span", sign === "same" ? said : ` ${unit}${said}`, "loop-unseen"));
  return element;
}

export function made(name, text, className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

export class Legend {
  #buttons = [];
  #state = null;

  /** `list` holds the buttons, `pairs` what is confused. */
  constructor(list, pairs, plot) {
    Object.assign(this, { list, pairs, plot });
    for (const event of ["pointerover", "focusin", "pointerleave", "focusout"]) {
      list.addEventListener(event, ({ target }) => {
        const button = ["pointerover", "focusin"].includes(event) ? target.closest("button") : null;
        this.#compare(button ? Number(button.value) : this.plot.selected, button !== null);
      });
    }
    list.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (!button) return;
      const label = Number(button.value);
      plot.select(plot.selected === label ? null : label);
    });
  }

  show(state) {
    this.#state = state;
    const { classes, class_accuracy: now, before, record } = state;
    const earlier = aloneOf(record)[0]?.class_accuracy_before ?? before?.class_accuracy;
    const focused = this.#buttons.findIndex((button) => button === document.activeElement);
    this.#buttons = classes.map((name, label) => {
      const button = Object.assign(document.createElement("button"), { type: "button", value: label });
      button.append(markElement(label), made("span", name, "loop-name"));
      if (now[label] === null) button.append(made("span", "–", "loop-share"));
      else button.append(made("span", percent(now[label]), "loop-share"));
      const was = earlier?.[label] ?? null;
      if (now[label] !== null && was !== null) button.append(changeElement(now[label], was));
      return button;
    });
    this.list.replaceChildren(...this.#buttons.map((button) => {
      const row = document.createElement("li");
      row.append(button);
      return row;
    }));
    this.#buttons[focused]?.focus();
    this.selected();
  }

  /** The plot's selection has changed. */
  selected() {
    if (!this.#state) return;
    this.#buttons.forEach((button, label) => button.setAttribute("aria-pressed", label === this.plot.selected));
    this.#compare(this.plot.selected);
  }

  /** Say what a class is taken for, and what is taken for it; of no class, which pairs are confused most. */
  #compare(label, isPointedAt = false) {
    if (!this.#state) return;
    const { classes, confusion } = this.#state;
    const sum = (row) => row.reduce((total, count) => total + count, 0);
    if (label === null) {
      const pairs = [];
      confusion.forEach((row, from) => row.forEach((count, to) => {
        if (from !== to && count) pairs.push({ from, to, count, share: count / sum(row) });
      }));
      pairs.sort((one, other) => other.share - one.share);
      const named = (pair) => ({ ...pair, text: `${classes[pair.from]} for ${classes[pair.to]}` });
      const rows = pairs.slice(0, PAIRS).map(named);
      this.#list([["Most often mistaken", rows]]);
      this.plot.compare(null);
      return;
    }
    const of = (from, to, other) => {
      const count = confusion[from][to];
      return { from, to, count, share: count / sum(confusion[from]), text: classes[other] };
    };
    const found = (make) => [...classes.keys()].filter((other) => other !== label).map(make)
      .filter(({ count }) => count).sort((one, other) => other.share - one.share).slice(0, PAIRS);
    const taken = found((other) => of(label, other, other));
    const taking = found((other) => of(other, label, other));
    this.#list([[`${classes[label]} is taken for`, taken], [`Taken for ${classes[label]}`, taking]]);
    this.plot.compare(isPointedAt ? [...taken, ...taking] : null); // lines would be in the way of moving it
  }

  #list(parts) {
    this.pairs.replaceChildren(...parts.flatMap(([title, rows]) => {
      const list = document.createElement("ul");
      for (const { text, share, count } of rows) {
        const row = made("li", "");
        const bar = made("span", "", "loop-bar-share");
        bar.style.width = `${Math.max(100 * Math.min(share, 1), 1)}%`;
        const number = made("span", `${percent(share)} (${count})`, "loop-share");
        row.append(made("span", text), number, bar);
        list.append(row);
      }
      return [made("h3", title), rows.length ? list : made("p", "nothing", "hint")];
    }));
  }
}
