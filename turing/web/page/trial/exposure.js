// Pictures that are shown for a time, measured in frames of the screen.

import { frame } from "../dom.js";

const BLANK_BEFORE_TIMED_MS = 500;

/** Shows for a time by counting frames: from the first that shows a view to the first without. */
export class Exposure {
  /** @param {number} frameMs of the screen */
  constructor(frameMs) {
    this.frameMs = frameMs;
    this.frames = 0;
    this.dropped = 0;
    this.onPainted = () => {};
  }

  /**
   * Shows one step after the other, without a gap; those of no time are left out. Stops at the
   * first frame where `isEnough`; the caller takes the last view away.
   * @param {{view: string, ms: number, isPicture?: boolean}[]} steps what `frames`, `shownMs` and
   *   `onPainted` tell is of pictures alone
   */
  async run(steps, show, isEnough = () => false) {
    let now = await frame();
    let shownMs = 0;
    for (const { view, ms, isPicture } of steps.filter((step) => step.ms > 0)) {
      const start = now;
      const wantedMs = (Math.max(1, Math.round(ms / this.frameMs)) - 0.5) * this.frameMs;
      show(view);
      do {
        const next = await frame();
        if (isPicture) this.count(next - now);
        now = next;
      } while (now - start < wantedMs && !isEnough());
      if (isPicture) {
        shownMs += now - start;
        this.shownMs = tenths(shownMs);
      }
      if (isEnough()) return;
    }
  }

  count(ms) {
    this.frames += 1;
    this.dropped += Math.max(0, Math.round(ms / this.frameMs) - 1);
    this.onPainted();
  }

  measured() {
    const rate = tenths(1000 / this.frameMs);
    return { frames: this.frames, dropped_frames: this.dropped, refresh_hz: rate };
  }
}

/** Measures the screen's time from frame to frame, while it is blank before a timed picture. */
export async function frameTime() {
  const times = [await frame()];
  while (times[times.length - 1] - times[0] < BLANK_BEFORE_TIMED_MS) times.push(await frame());
  const steps = times.slice(1).map((time, index) => time - times[index]);
  const middle = steps.sort((one, other) => one - other)[Math.floor(steps.length / 2)];
  return Math.min(Math.max(middle, 1), 100);
}

const tenths = (value) => Math.round(value * 10) / 10;
