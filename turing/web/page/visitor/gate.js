// What a study asks of the device: who comes with another is told so, with what to do, and goes on
// by themselves once it fits. Nothing of it is stored by being told.

const DESKTOP = "(hover: hover) and (pointer: fine)";

export class Gate {
  /**
   * @param {URLSearchParams} asks `require`, `min_width` and `fullscreen` of the study
   * @param {import("../screens.js").Screens} screens
   */
  constructor(asks, screens, say) {
    this.needsDesktop = asks.get("require") === "desktop";
    this.minWidth = Number(asks.get("min_width") ?? 0);
    this.needsFullscreen = asks.get("fullscreen") === "true";
    this.screens = screens;
    this.say = say;
  }

  /** What does not fit: "desktop", "width", or nothing. */
  obstacle() {
    if (this.needsDesktop && !matchMedia(DESKTOP).matches) return "desktop";
    if (innerWidth < this.minWidth) return "width";
    return undefined;
  }

  /**
   * Resolves once the device fits; until then it is told what does not.
   * @param {string} backLink where somebody who cannot change it may go
   */
  async pass(backLink) {
    for (let what = this.obstacle(); what; what = this.obstacle()) {
      const text = this.say(`needs_${what}_text`, { width: innerWidth, needed: this.minWidth });
      const link = what === "desktop" ? location.href : "";
      this.screens.message(`needs_${what}`, undefined, text, backLink, link, "study_link");
      await changed();
    }
  }

  /** Asks for the whole screen, where the browser can give it, until it has it or has refused. */
  async fillScreen(leave) {
    const isAsked = this.needsFullscreen && document.fullscreenEnabled && !this.isRefused;
    if (!isAsked || document.fullscreenElement) return;
    const title = this.say("fullscreen");
    await this.screens.page(title, this.say("fullscreen_text"), "fullscreen_go", { leave });
    try {
      await document.documentElement.requestFullscreen();
    } catch {
      this.isRefused = true; // as in a frame that may not: the study goes on, and it is noted
    }
  }
}

/** Resolves when the window or the pointer changes. */
function changed() {
  return new Promise((resolve) => {
    const pointer = matchMedia(DESKTOP);
    const done = () => {
      removeEventListener("resize", done);
      pointer.removeEventListener("change", done);
      resolve();
    };
    addEventListener("resize", done);
    pointer.addEventListener("change", done);
  });
}
