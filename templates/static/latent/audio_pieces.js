// Pieces of a recording on their way to the server: one after the other, each until the server has it.
// The server keeps a piece once, however often it comes, so sending again is always safe.

const ATTEMPT_MS = 15_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
const KEEPALIVE_BYTES = 60_000; // what browsers let a page send after its end

export class Pieces {
  #address;
  #waiting = [];
  #sending = false;

  // `onRefused(sentence)`: the server will never take them. `onWaiting(pieces)`: it cannot be reached; 0 when it can.
  constructor(base, trial, { onRefused, onWaiting }) {
    this.#address = `${base}/audio?trial=${encodeURIComponent(trial)}`;
    this.onRefused = onRefused;
    this.onWaiting = onWaiting;
  }

  /** Send a piece: { recording: { number }, chunk, atMs, blob }; pieces of one recording share the object. */
  add(piece) {
    this.#waiting.push(piece);
    this.#send();
  }

  /** Forget what was not sent. */
  drop() {
    this.#waiting = [];
  }

  /** The page ends: what waits is sent without waiting for an answer, as far as the browser lets it. */
  hurry() {
    let left = KEEPALIVE_BYTES;
    for (const piece of this.#waiting) {
      left -= piece.blob.size;
      if (left < 0) break;
      this.#post(piece, { keepalive: true }).catch(() => {});
    }
  }

  /** What the server knows: { consent, pieces, next }. */
  async state() {
    const answer = await fetch(this.#address, { credentials: "omit", signal: AbortSignal.timeout(ATTEMPT_MS) });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    return said;
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    let pause = FIRST_PAUSE_MS;
    while (this.#waiting.length) {
      const piece = this.#waiting[0];
      const outcome = await this.#attempt(piece);
      if (this.#waiting[0] !== piece) continue; // dropped in the meantime
      if (outcome.refused) {
        this.drop();
        this.onRefused(outcome.refused);
      } else if (outcome.kept) {
        this.#waiting.shift();
        this.onWaiting(0);
        pause = FIRST_PAUSE_MS;
      } else if (!outcome.again) {
        this.onWaiting(this.#waiting.length);
        await new Promise((resolve) => {
          setTimeout(resolve, pause);
          window.addEventListener("online", resolve, { once: true });
        });
        pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
      }
    }
    this.#sending = false;
  }

  async #attempt(piece) {
    try {
      const answer = await this.#post(piece, { signal: AbortSignal.timeout(ATTEMPT_MS) });
      if (answer.ok) return { kept: true };
      if (answer.status >= 500 || answer.status === 408 || answer.status === 429) return {};
      const said = await answer.json();
      if (answer.status !== 412) return { refused: said.error };
      piece.recording.number = (await this.state()).next; // another tab has recorded under this number
      return { again: true };
    } catch {
      return {}; // no network, a timeout, a torn answer
    }
  }

  #post({ recording, chunk, atMs, blob }, options) {
    const values = { recording: recording.number, chunk, at_ms: Math.round(atMs) };
    const query = new URLSearchParams({ ...values, sent_ms: Math.max(Math.round(performance.now()), values.at_ms) });
    return fetch(`${this.#address}&${query}`, {
      method: "POST",
      body: blob,
      headers: { "Content-Type": blob.type.split(";")[0] },
      credentials: "omit",
      ...options,
    });
  }
}
