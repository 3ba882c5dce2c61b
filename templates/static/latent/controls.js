// The controls around the plot: training, its progress and what it brought, the clock, tools, views, the introduction.

import { queueWords } from "../waiting.js";
import { aloneOf, doneWords } from "./alone.js";
import { drawCurve } from "./curve.js";
import { changeElement, made, percent } from "./legend.js";

const TICK_MS = 1_000;
const TIME_OVER = "time is over";
const WARN_MIN = [5, 1]; // minutes left at which the clock is read out

export class Controls {
  #epochsSaid = "";
  #endsAt = Infinity;
  #stoodAt = null; // when a training began, until the clock goes on
  #warned = new Set();
  #phase = "opening";

  constructor(root, form, options, parts) {
    Object.assign(this, { root, form, options, ...parts });
    this.find = (name) => root.querySelector(`[data-${name}]`);
    this.button = form.querySelector("button.primary");
    this.slider = this.find("alpha");
    this.epochs = this.find("epochs");
    this.slider?.addEventListener("input", () => {
      this.#sayAlpha();
      this.session.changed();
    });
    const actions = {
      train: () => this.#train(),
      pause: () => this.#pause(),
      resume: () => this.session.resume(),
      discard: () => this.session.discard(),
      undo: this.undo,
      redo: this.redo,
      reset: () => {
        this.plot.reset();
        this.say("All points are where the network put them. You can undo this.");
      },
      "zoom-in": () => this.plot.zoom(1.4),
      "zoom-out": () => this.plot.zoom(1 / 1.4),
      fit: () => this.plot.fit(),
      hand: () => this.#useHand(),
      help: () => this.#help(),
    };
    for (const [name, action] of Object.entries(actions)) {
      this.find(name).addEventListener("click", (event) => {
        if (event.currentTarget.getAttribute("aria-disabled") !== "true") action();
      });
    }
    for (const radio of root.querySelectorAll("[name=loop-view]")) {
      radio.addEventListener("change", () => this.#view(radio.value));
    }
    this.find("trails").addEventListener("change", ({ target }) => this.plot.showTrails(target.checked));
    // Before the page's own listener: the answer is not sent while trainings are left.
    document.addEventListener("submit", (event) => this.#submit(event), { capture: true });
    this.#introduce();
    setInterval(() => this.#tick(), TICK_MS);
  }

  get alpha() {
    return this.slider ? Number(this.slider.value) / 100 : this.options.alpha;
  }

  /** A session's state: what the network can do now, and what there is to choose. */
  show(state, stays) {
    const { record, before, number, interactions } = state;
    const alone = aloneOf(record);
    const own = record.interactions.slice(0, record.interactions.length - alone.length);
    const alpha = state.draft?.alpha ?? own.at(-1)?.alpha ?? this.options.alpha;
    if (!stays && this.slider) this.slider.value = Math.round(100 * alpha);
    this.#sayAlpha();
    this.find("title").textContent = state.title;
    const isDone = number > interactions;
    const all = `All ${interactions} trainings are done`;
    const next = alone.length ? "Training" : "Arrangement";
    this.find("number").textContent = isDone ? all : `${next} ${number} of ${interactions}`;
    this.find("alpha-part").hidden = alone.length > 0; // nobody was listened to
    this.find("intended").hidden = alone.length > 0;
    this.#endsAt = performance.now() + 1000 * state.seconds_left;
    this.#stoodAt = null;
    this.#tick();
    this.#metrics(record);
    drawCurve(this.find("curve"), record, state.epochs);
    this.find("views").hidden = !before;
    this.find("trails-line").hidden = !before;
    if (!stays) this.root.querySelector("[name=loop-view][value=now]").checked = true;
    if (!this.epochs) this.find("epochs-said").textContent = `${state.epochs_each} epochs are trained each time.`;
    this.#sayOutcome(record);
    this.arranged();
  }

  /** What may be pressed. */
  phase(phase) {
    this.#phase = phase;
    const shown = {
      train: ["arranging"], pause: ["training"], resume: ["paused"], discard: ["paused"], again: ["failed"],
    };
    const focused = document.activeElement;
    for (const [name, phases] of Object.entries(shown)) this.find(name).hidden = !phases.includes(phase);
    if (focused?.hidden) this.root.querySelector(".loop-train button:not([hidden])")?.focus();
    this.find("veil").hidden = phase !== "opening" && phase !== "failed";
    this.find("plot").toggleAttribute("data-rests", phase !== "arranging");
    for (const control of [this.slider, this.epochs]) if (control) control.disabled = phase !== "arranging";
    if (phase === "paused") {
      const { epochs_done: done, epochs } = this.session.state.paused;
      this.find("message").textContent =
        `Paused after ${done} of ${epochs} epochs. Resume the training, or discard it: then the network is as before ` +
        "it, and your arrangement stays.";
    } else if (phase === "over") {
      this.find("message").textContent = "Your time is over. The network is trained to its end without you, " +
        "from where your last training left it.";
    } else if (phase === "done") {
      this.find("message").textContent = `${doneWords(this.session.state.record)} ` +
        "Say below how you went about it, then save.";
    } else if (phase === "arranging" || phase === "failed") this.find("message").textContent = "";
    if (phase === "done") this.button.removeAttribute("aria-disabled");
    else this.button.setAttribute("aria-disabled", "true");
    this.arranged();
  }

  /** The arrangement has changed, or what may be done with it. */
  arranged() {
    const { arrangement, canArrange } = this.plot;
    const may = { undo: arrangement?.canUndo, redo: arrangement?.canRedo, reset: arrangement?.isChanged };
    for (const [name, can] of Object.entries(may)) {
      const isOff = !(can && canArrange && this.plot.stage === "now");
      this.find(name).setAttribute("aria-disabled", isOff);
    }
  }

  /** How far a worker is, or null when none is at work. */
  job(job) {
    const bar = this.find("progress");
    bar.hidden = job === null;
    if (job === null) return;
    const isQueued = job.state === "queued";
    if (isQueued || !job.progress) bar.removeAttribute("value");
    else bar.value = job.progress;
    const begins = job.step === "open" ? "The network is being prepared …" : "The network trains …";
    this.#message(isQueued ? queueWords(job) : job.message || begins);
    this.find("veil-text").textContent = isQueued ? queueWords(job) : "The network is being prepared …";
  }

  trouble(sentence) {
    this.find("trouble").textContent = sentence && `${sentence[0].toUpperCase()}${sentence.slice(1)}`;
    if (this.#phase === "opening" && sentence) this.find("veil-text").textContent = "The network could not be prepared.";
  }

  #message(text) {
    this.find("message").textContent = text;
    // Read out at each epoch, not at each step.
    const epoch = text.match(/^[^·]*/)[0];
    if (epoch === this.#epochsSaid) return;
    this.#epochsSaid = epoch;
    this.find("heard").textContent = text;
  }

  #train() {
    const epochs = this.epochs ? Number(this.epochs.value) : null;
    if (this.epochs && !this.epochs.checkValidity()) {
      this.trouble(`Choose from ${this.epochs.min} to ${this.epochs.max} epochs.`);
      this.epochs.focus();
      return;
    }
    this.trouble("");
    this.train(epochs);
  }

  #pause() {
    this.session.pause();
    this.say("The training pauses after this epoch.");
  }

  #useHand() {
    const isHand = this.pointer.tool !== "pan";
    this.pointer.tool = isHand ? "pan" : "move";
    this.find("hand").setAttribute("aria-pressed", isHand);
    this.find("plot").dataset.cursor = isHand ? "pan" : "nothing";
    this.say(isHand ? "Dragging moves the view." : "Dragging moves points.");
  }

  #view(stage) {
    this.plot.showStage(stage);
    this.arranged();
    this.say({
      before: aloneOf(this.session.state.record).length
        ? "You see where the network had put the points before the last training."
        : "You see where the network had put the points before your last arrangement.",
      intended: "You see where you had put the points.",
      now: "You see the points as they are now.",
    }[stage]);
  }

  #metrics(record) {
    const now = record.curve.at(-1);
    const [alone] = aloneOf(record);
    const last = alone ?? record.interactions.at(-1);
    const was = last && record.curve[last.epoch - 1];
    const rows = [["Accuracy", "accuracy"], ["Macro-F1", "macro_f1"]].map(([name, key]) => {
      const row = made("div", "");
      const value = made("dd", percent(now[key], 1));
      if (was) value.append(" ", changeElement(now[key], was[key]));
      row.append(made("dt", name), value);
      return row;
    });
    this.find("metrics").replaceChildren(...rows);
    const since = alone
      ? `The change is since the time was over, after epoch ${alone.epoch}.`
      : "The change is since your last arrangement.";
    this.find("since").textContent = was ? since : "Of examples that the network never learned from.";
  }

  #sayOutcome(record) {
    const last = record.interactions.at(-1);
    if (!last || this.interactionsSaid === last.number) return;
    const isFirst = this.interactionsSaid === undefined && this.#phase === "opening";
    this.interactionsSaid = last.number;
    if (isFirst) return; // after a reload
    const [alone] = aloneOf(record);
    const was = record.curve[(alone ?? last).epoch - 1].accuracy;
    const begins = alone ? "Trained without you" : "Trained";
    this.say(`${begins}: the accuracy went from ${percent(was, 1)} to ${percent(record.curve.at(-1).accuracy, 1)}.`);
  }

  #sayAlpha() {
    const value = percent(this.alpha);
    const words = this.find("alpha-said");
    words.textContent = value;
    this.slider?.setAttribute("aria-valuetext", `${value} to you, ${percent(1 - this.alpha)} to the data`);
  }

  #tick() {
    const clock = this.find("clock");
    const { state } = this.session ?? {};
    if (!state || state.number > state.interactions) {
      clock.textContent = "";
      return;
    }
    // A training, and the wait for it, is not the participant's time.
    if (this.session.isBusy) {
      this.#stoodAt ??= performance.now();
      const isOver = clock.textContent === TIME_OVER || aloneOf(state.record).length > 0;
      clock.textContent = isOver ? TIME_OVER : "the clock stands while it trains";
      return;
    }
    if (this.#stoodAt !== null) this.#endsAt += performance.now() - this.#stoodAt;
    this.#stoodAt = null;
    const seconds = (this.#endsAt - performance.now()) / 1000;
    const minutes = Math.ceil(seconds / 60);
    const text = seconds <= 0 ? TIME_OVER : seconds < 60 ? "less than a minute left" : `${minutes} min left`;
    if (clock.textContent !== text) clock.textContent = text;
    if (WARN_MIN.includes(minutes) && !this.#warned.has(minutes)) {
      this.#warned.add(minutes);
      this.say(minutes === 1 ? "Less than a minute is left." : `${minutes} minutes are left.`);
    }
    if (seconds <= 0 && this.#phase !== "over") this.timeIsOver();
  }

  #submit(event) {
    if (event.target !== this.form || this.#phase === "done") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { state } = this.session;
    const left = state ? state.interactions - state.number + 1 : null;
    const trainings = left === 1 ? "One training is" : `${left} trainings are`;
    this.form.querySelector("[data-status]").textContent = left === null
      ? "Please wait until the network is there."
      : `${trainings} left; you can save when they are done.`;
  }

  #introduce() {
    const dialog = this.find("intro");
    const key = `crowdloom:introduced:${this.form.dataset.base}`;
    dialog.addEventListener("close", () => {
      try {
        localStorage.setItem(key, "yes");
      } catch {
        // no storage: it is shown again at the next page
      }
    });
    try {
      if (localStorage.getItem(key)) return;
    } catch {
      // no storage
    }
    dialog.showModal();
  }

  #help() {
    this.find("intro").showModal();
  }
}
