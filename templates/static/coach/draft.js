// A drawing that is not done yet, kept in this tab for a reload.

export class Draft {
  constructor(key) {
    this.key = key;
  }

  keep(attempt, { strokes, undone, elapsed, device }) {
    try {
      sessionStorage.setItem(this.key, JSON.stringify({ attempt, strokes, undone, elapsed, device }));
    } catch {
      // no storage, or no room: a reload begins the attempt anew
    }
  }

  /** What was kept of an attempt, or null. */
  of(attempt) {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.key));
      return kept?.attempt === attempt ? kept : null;
    } catch {
      return null;
    }
  }
}
