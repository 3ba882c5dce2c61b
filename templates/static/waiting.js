// How long a worker's job waits, in words.

/** Its place in the queue, and the seconds that are expected (null: unknown). */
export function queueWords({ ahead, wait_s: wait }) {
  const people = ahead === 1 ? "1 person is" : `${ahead} people are`;
  const before = ahead ? `${people} before you` : "You are next";
  if (wait === null || wait === undefined) return `${before}; please wait a moment.`;
  const words = wait < 90 ? `${Math.max(Math.round(wait / 5) * 5, 5)} seconds` : `${Math.round(wait / 60)} minutes`;
  return `${before}; about ${words}.`;
}
