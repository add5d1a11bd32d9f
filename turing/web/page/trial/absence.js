// Whether the participant looks at the page.

const MOST_ABSENCES = 1000; // the server takes no more than 10,000

/** Counts how often the participant looked elsewhere: at another window, tab or part of a page. */
export class Absence {
  constructor() {
    this.isAway = false;
    this.begin();
    addEventListener("blur", () => this.turn(true));
    addEventListener("focus", () => this.turn(false));
    document.addEventListener("visibilitychange", () => this.turn(document.hidden));
  }

  /** From here on it counts; who is away already is away once. */
  begin() {
    this.count = Number(this.isAway);
  }

  turn(isAway) {
    if (isAway && !this.isAway) this.count = Math.min(this.count + 1, MOST_ABSENCES);
    this.isAway = isAway;
  }
}
