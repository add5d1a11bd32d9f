// Whether the participant looks at the study: at another window, tab or part of a page meanwhile.

const MOST_TIMES = 1000; // the server takes no more than 10,000

/** Counts from `begin` on how often, and for how long, the page was not looked at; and how often
 *  the full screen was left since it was told last. */
export class Absence {
  constructor() {
    this.isAway = false;
    this.fullscreenLeft = 0;
    this.begin();
    addEventListener("blur", () => this.turn(true));
    addEventListener("focus", () => this.turn(false));
    document.addEventListener("visibilitychange", () => this.turn(document.hidden));
    document.addEventListener("visibilitychange", () => this.hide(document.hidden));
    document.addEventListener("fullscreenchange", () => {
      if (!document.fullscreenElement) this.fullscreenLeft += 1;
    });
  }

  /** From here on it counts; who is away already is away once. */
  begin() {
    this.count = Number(this.isAway);
    this.hiddenMs = 0;
    this.hiddenSince = document.hidden ? performance.now() : null;
  }

  turn(isAway) {
    if (isAway && !this.isAway) this.count = Math.min(this.count + 1, MOST_TIMES);
    this.isAway = isAway;
  }

  hide(isHidden) {
    if (this.hiddenSince !== null) this.hiddenMs += performance.now() - this.hiddenSince;
    this.hiddenSince = isHidden ? performance.now() : null;
  }

  /** What was counted, as the server takes it. */
  told() {
    const absence = {};
    if (this.hiddenMs) absence.hidden_ms = Math.round(this.hiddenMs);
    if (this.fullscreenLeft) absence.fullscreen_left = Math.min(this.fullscreenLeft, MOST_TIMES);
    this.fullscreenLeft = 0;
    const told = { focus_lost: this.count };
    return Object.keys(absence).length ? { ...told, absence } : told;
  }
}
