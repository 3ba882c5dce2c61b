// Live steps, for the pages of tasks that have them.
//
//     import { LiveSteps } from "/static/live.js";
//     const live = new LiveSteps(document.body.dataset.base, trialId);  // "/take/<token>", the form's field `trial`
//     const output = await live.call("train", { epochs: 5 }, { onState: (job) => bar.value = job.progress });
//     const output = await live.resume("train", { onState });          // after a reload; null if there is nothing
//     await live.cancel("train");
//
// With a trial the steps are handed what its page shows, and `resume` finds the jobs of that trial alone; without one
// (`new LiveSteps(base)`) they know the submission only. Once the trial is over, a call throws a LiveError of status 409.
// A job goes on without the page: closing it cancels nothing, and `resume` finds the job again.
// `onState` gets { job, step, state, progress, message, ahead, wait_s, … } whenever something changes.
// What fails is thrown as LiveError: `status` as in HTTP (0: no network), `errors` by field,
// `state` "failed" or "cancelled" where a job ended so.

export class LiveError extends Error {
  constructor(message, { status = 0, errors = {}, state = null } = {}) {
    super(message);
    this.name = "LiveError";
    this.status = status;
    this.errors = errors;
    this.state = state;
  }
}

export const FINISHED = ["done", "failed", "cancelled"];
const RETRY_MS = 2000;

export class LiveSteps {
  #base;
  #trial;
  #jobs = new Map(); // step -> its last job

  constructor(base, trialId = null) {
    this.#base = `${base}/live`;
    this.#trial = trialId === null ? "" : `?trial=${encodeURIComponent(trialId)}`;
  }

  // Run a step; resolves to its output, whether it is inline or a worker's job. With `keepalive` the request outlives
  // the page (browsers allow that for less than 64 KiB).
  async call(step, input, { onState = () => {}, keepalive = false } = {}) {
    const answer = await this.#ask(`${step}${this.#trial}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(input),
      keepalive,
    });
    return "job" in answer ? this.#follow(answer, onState) : answer.output;
  }

  // The last job of a step, followed to its end; null if this submission has none.
  async resume(step, { onState = () => {} } = {}) {
    const job = await this.#ask(`${step}${this.#trial}`);
    return job === null ? null : this.#follow(job, onState);
  }

  // Ask the step's job to end; whoever waits for it gets a LiveError with state "cancelled".
  async cancel(step) {
    const job = this.#jobs.get(step);
    if (job) await this.#ask(`jobs/${job}/cancel`, { method: "POST" });
  }

  async #ask(path, options = {}) {
    let response;
    try {
      response = await fetch(`${this.#base}/${path}`, { ...options, credentials: "omit" });
    } catch {
      throw new LiveError("The server cannot be reached; check the connection and try again.");
    }
    if (response.status === 204) return null;
    const said = await response.json().catch(() => ({ error: "The server did not understand; please try again." }));
    if (!response.ok) throw new LiveError(said.error, { status: response.status, errors: said.errors });
    return said;
  }

  #follow(job, onState) {
    this.#jobs.set(job.step, job.job);
    onState(job);
    if (FINISHED.includes(job.state)) return settle(job);
    return new Promise((resolve, reject) => {
      let last = job;
      const open = () => {
        const source = new EventSource(`${this.#base}/jobs/${job.job}/events`);
        const hear = (event) => {
          last = JSON.parse(event.data);
          onState(last);
        };
        source.addEventListener("progress", hear);
        source.addEventListener("end", (event) => {
          source.close();
          hear(event);
          settle(last).then(resolve, reject);
        });
        // The browser reconnects by itself, except after an answer that is no stream (a server in trouble).
        source.addEventListener("error", () => {
          if (source.readyState === EventSource.CLOSED) setTimeout(open, RETRY_MS);
        });
      };
      open();
    });
  }
}

async function settle(job) {
  if (job.state === "done") return job.output;
  throw new LiveError(job.error ?? "This was cancelled.", { status: 200, state: job.state });
}
