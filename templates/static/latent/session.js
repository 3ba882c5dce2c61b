// A session on the server: it is begun, trained, paused, kept, and found again after a reload.
//
// `on.state(state)` is called with every SessionState that is to be shown, `on.job(job | null)` while a worker is at
// work, `on.trouble(sentence)` when something failed; the session goes on after each of them. `on.moved()` says whether
// the participant has moved something in this interaction.

import { FINISHED, LiveError } from "../live.js";

const KEEP_MS = 1_000;
const AGAIN_MS = 5_000;
const MOST_WITH_KEEPALIVE = 60_000; // bytes; browsers refuse more

export class Session {
  state = null;
  isBusy = false;
  #keepTimer = 0;
  #keeping = Promise.resolve();
  #sent = 0; // movements of this interaction that the server has
  #isUnsent = false;

  /** `arranged()` gives { x, y, alpha, movements } as they stand. */
  constructor(live, arranged, on) {
    Object.assign(this, { live, arranged, on });
  }

  /** Find the session, or begin it; go on with what was under way. */
  async start() {
    await this.#run(async () => {
      const { state } = await this.live.call("state", {});
      const found = state ?? (await this.#open());
      // It is shown once it is known that no training is under way: points that are shown as free can be moved.
      const trained = await this.#follow("train", () => this.#adopt(found));
      this.#adopt(trained ?? found);
    });
  }

  /** Train towards the arrangement, with `more` for its other fields. */
  async train(more) {
    await this.#run(async () => {
      // The server keeps it, too, for a page that is opened in the meantime, and for when the training is discarded.
      clearTimeout(this.#keepTimer);
      this.#keeping = this.#keeping.then(() => this.#send(false));
      const input = { number: this.state.number, ...this.arranged(), ...more };
      this.#adopt(await this.live.call("train", input, { onState: (job) => this.on.job(job) }));
    });
  }

  /** Train what is left without the participant: the time is over. */
  async rest() {
    await this.#run(async () => {
      const input = { number: this.state.number, x: [], y: [], rest: true };
      this.#adopt(await this.live.call("train", input, { onState: (job) => this.on.job(job) }));
    });
  }

  async resume() {
    await this.#run(async () => {
      const input = { number: this.state.number, x: [], y: [], resume: true };
      this.#adopt(await this.live.call("train", input, { onState: (job) => this.on.job(job) }));
    });
  }

  /** Ask the training to end after its present epoch. */
  async pause() {
    try {
      await this.live.cancel("train");
    } catch (error) {
      this.on.trouble(error.message);
    }
  }

  async discard() {
    await this.#run(async () => this.#adopt(await this.live.call("discard", {})));
  }

  item(point) {
    return this.live.call("item", { point });
  }

  /** The arrangement has changed: the server keeps it soon. */
  changed() {
    this.#isUnsent = true;
    clearTimeout(this.#keepTimer);
    this.#keepTimer = setTimeout(() => this.keep(), KEEP_MS);
  }

  /** Let the server keep the arrangement now; `leaves` while the page is being closed. */
  keep({ leaves = false } = {}) {
    clearTimeout(this.#keepTimer);
    if (!this.#isUnsent || this.isBusy) return;
    if (leaves) void this.#send(true); // there is no time to wait for what was sent before; what comes twice is kept once
    else this.#keeping = this.#keeping.then(() => this.#send(false));
  }

  async #send(keepalive) {
    if (!this.#isUnsent) return;
    const { number } = this.state;
    const { x, y, alpha, movements } = this.arranged();
    const input = { number, x, y, alpha, first: this.#sent, movements: movements.slice(this.#sent) };
    this.#isUnsent = false;
    try {
      const isShort = keepalive && JSON.stringify(input).length < MOST_WITH_KEEPALIVE;
      const kept = await this.live.call("keep", input, { keepalive: isShort });
      if (this.state.number !== number) return;
      const isMissing = kept.movements < input.first; // some came to another server, say: from there on again
      this.#sent = Math.min(kept.movements, movements.length);
      if (isMissing) this.changed();
      this.on.kept();
    } catch (error) {
      if (this.state.number !== number) return;
      this.#isUnsent = true;
      if (this.isBusy) return; // it is being trained, with all that was moved
      this.on.trouble(`Your last movements could not be saved yet: ${error.message}`);
      if (!(error instanceof LiveError && error.status >= 400 && error.status < 500)) {
        this.#keepTimer = setTimeout(() => this.keep(), AGAIN_MS);
        return;
      }
      await this.refresh(); // it was trained in another tab, say
      if (this.state.number === number) this.on.trouble(error.message);
    }
  }

  /** Ask how the session stands: after an error, or when another page may have gone on with it. */
  async refresh() {
    await this.#run(async () => {
      const { state } = await this.live.call("state", {});
      if (state) this.#adopt(state);
    });
  }

  async #open() {
    const begun = await this.#follow("open");
    return begun ?? this.live.call("open", {}, { onState: (job) => this.on.job(job) });
  }

  /** The output of a step's job that is still under way, when it has ended, after `found()`; null if there is none. */
  async #follow(step, found = () => {}) {
    let isUnderWay = null;
    const onState = (job) => {
      if (isUnderWay === null) {
        isUnderWay = !FINISHED.includes(job.state);
        if (isUnderWay) found();
      }
      if (isUnderWay) this.on.job(job);
    };
    try {
      const output = await this.live.resume(step, { onState });
      return isUnderWay ? output : null;
    } catch (error) {
      if (isUnderWay !== false) throw error;
      return null; // it failed, or was cancelled, before this page was opened
    }
  }

  async #run(what) {
    if (this.isBusy) return;
    this.isBusy = true;
    this.on.busy();
    try {
      await what();
      this.on.trouble("");
    } catch (error) {
      if (!(error instanceof LiveError)) throw error;
      if (error.state !== "cancelled") this.on.trouble(error.message);
      await this.#recover();
    } finally {
      this.isBusy = false;
      this.on.job(null);
      this.on.busy();
    }
  }

  async #recover() {
    try {
      const trained = await this.#follow("train").catch(() => null);
      const { state } = await this.live.call("state", {});
      if (state) this.#adopt(state);
      if (trained) this.on.trouble("The network was trained from another window; this is what came of it.");
    } catch {
      // what could not be done was said already
    }
  }

  /** Show a state, unless it is of the arrangement that is shown already: then that stays, with what was just moved. */
  #adopt(state) {
    const isSame = this.state?.number === state.number && this.state.epoch === state.epoch;
    const stays = isSame && (this.#isUnsent || this.on.moved());
    this.state = state;
    if (!stays) {
      this.#sent = state.draft?.movements.length ?? 0;
      this.#isUnsent = false;
    }
    this.on.state(state, stays);
  }
}
