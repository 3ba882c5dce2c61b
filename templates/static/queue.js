// Answers on their way to the server: kept here until the server says that they are stored.
// There is one waiting answer for each submission, under the submission's address. The server takes
// the same answer any number of times and stores it once, so sending again is always safe.

const ATTEMPT_MS = 10_000;
const LONGEST_PAUSE_MS = 30_000;
const memory = new Map(); // where the browser gives no storage (private mode, some iframes)

const key = (base) => `crowdloom:${base}`;

/** Keeps `entry` ({trial, fields, timing, retries}); false if only for as long as this page stays open. */
export function keep(base, entry) {
  memory.set(base, entry);
  try {
    localStorage.setItem(key(base), JSON.stringify(entry));
    return true;
  } catch {
    return false;
  }
}

/** The answer that waits for this submission, or null. */
export function waiting(base) {
  try {
    return JSON.parse(localStorage.getItem(key(base))) ?? memory.get(base) ?? null;
  } catch {
    return memory.get(base) ?? null;
  }
}

/** Forgets `entry`, but not what another tab has put in its place. */
export function forget(base, entry) {
  memory.delete(base);
  try {
    if (JSON.parse(localStorage.getItem(key(base)))?.trial === entry.trial) localStorage.removeItem(key(base));
  } catch {
    // no storage: nothing was stored
  }
}

/**
 * Sends `entry` until the server has decided about it.
 *
 * `pause(ms, kept)` is awaited between two attempts. Resolves to {next} (go there), {next, stays: true} (go
 * there; the answer waits here until the participant has come back), {invalid: true} (the server found errors
 * in the form) or {refused: true} (the server will never take it).
 */
export async function deliver(base, entry, pause) {
  let kept = keep(base, entry);
  for (let ms = 500; ; ms = Math.min(2 * ms, LONGEST_PAUSE_MS)) {
    const outcome = await attempt(base, entry);
    if (outcome) {
      if (!outcome.stays) forget(base, entry);
      return outcome;
    }
    entry.retries += 1;
    kept = keep(base, entry);
    await pause(ms * (0.8 + 0.4 * Math.random()), kept);
  }
}

async function attempt(base, entry) {
  const body = new URLSearchParams(entry.fields);
  body.set("timing", JSON.stringify({ ...entry.timing, retries: entry.retries }));
  try {
    const answer = await fetch(`${base}/answer`, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
      credentials: "omit",
      signal: AbortSignal.timeout(ATTEMPT_MS),
    });
    // Our server speaks JSON here; a hotel's sign-in page or a proxy in between does not decide anything.
    if (!answer.headers.get("Content-Type")?.includes("json")) return null;
    if (answer.status >= 500 || answer.status === 408 || answer.status === 429) return null;
    const { next, keep: stays } = await answer.json();
    if (next) return { next, stays };
    return answer.status === 422 ? { invalid: true } : { refused: true };
  } catch {
    return null; // no network, a timeout, a torn answer
  }
}
