// A trial on the server: prepared, read, found again after a reload.
//
// What is lost on the way is sent again: `on.waits(true | false)` says that it is, `on.job(job | null)` how far the
// preparation is. Anything else that fails is thrown, as LiveError.

import { LiveError } from "../live.js";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
const MOST_WAIT_MS = 2_000; // for readings of an unfinished drawing, before it is finished
const PASSING = [0, 408, 429, 502, 503, 504]; // no network, no time, no room

export class WritingSteps {
  #looks = new Set();
  #latest = 0;

  constructor(live, on) {
    Object.assign(this, { live, on });
  }

  /** The trial as it stands, with the coach prepared. */
  async start() {
    const found = await this.state();
    if (found.ready) return found;
    const onState = (job) => this.on.job(job);
    try {
      await this.live.resume("open", { onState }).catch(() => null); // one that failed is asked for again
      const state = await this.state();
      return state.ready ? state : await this.live.call("open", {}, { onState });
    } finally {
      this.on.job(null);
    }
  }

  state() {
    return this.#call("state", {});
  }

  given(attempt) {
    return this.#call("given", { attempt });
  }

  /** Have a finished drawing read. */
  async finish(attempt, drawing) {
    this.forget();
    const looks = Promise.allSettled(this.#looks); // the server counts them, and then the attempt is over
    await Promise.race([looks, new Promise((resolve) => setTimeout(resolve, MOST_WAIT_MS))]);
    return this.#call("read", { attempt, drawing, done: true });
  }

  /** Have an unfinished drawing read; null where another one was asked for in the meantime. */
  async look(attempt, drawing) {
    const number = ++this.#latest;
    const isLatest = () => number === this.#latest;
    const asked = this.#call("read", { attempt, drawing, done: false }, isLatest);
    this.#looks.add(asked);
    try {
      const read = await asked;
      return isLatest() ? read : null;
    } catch (error) {
      if (isLatest()) throw error;
      return null;
    } finally {
      this.#looks.delete(asked);
    }
  }

  /** Whatever is being read is not to be shown any more. */
  forget() {
    this.#latest += 1;
  }

  async #call(step, input, isWanted = () => true) {
    for (let ms = FIRST_PAUSE_MS; ; ms = Math.min(2 * ms, LONGEST_PAUSE_MS)) {
      try {
        const output = await this.live.call(step, input);
        if (output === undefined) throw new LiveError("The server was not reached."); // but a hotel's sign-in page
        this.on.waits(false);
        return output;
      } catch (error) {
        if (!(error instanceof LiveError && PASSING.includes(error.status)) || !isWanted()) throw error;
        this.on.waits(true);
        await pause(ms);
        if (!isWanted()) throw error;
      }
    }
  }
}

function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    window.addEventListener("online", resolve, { once: true });
  });
}
