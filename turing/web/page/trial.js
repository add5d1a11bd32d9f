// One trial on the screen: the picture's parts, the clock, the choice by key, click or tap.

import { element, fill, frame, painted, wait } from "./dom.js";

const MARK_MS = 150;
const DOUBLE_PRESS_MS = 300; // no picture is shown so soon after a press: a second one finds none
const BLANK_BEFORE_TIMED_MS = 500;

/** How each protocol shows the parts, and where one answers: on the photos or on buttons below. */
const KINDS = {
  "pick-original": { parts: 2, layout: "pair" },
  preference: { parts: 2, layout: "pair" },
  "pick-fake-sequential": {
    parts: 2,
    layout: "single",
    answers: ["answer_first", "answer_second"],
  },
  single: { parts: 1, layout: "single", answers: ["answer_original", "answer_colorized"] },
};

const STACKED = "(max-width: 600px), (max-aspect-ratio: 4/5)"; // as in style/trial.css
const KEYS = { ArrowLeft: 0, 1: 0, ArrowRight: 1, 2: 1 };
const STACKED_KEYS = { ...KEYS, ArrowUp: 0, ArrowDown: 1 };

/** The screen of a study's trials: it stays from trial to trial, and so does the focus. */
export class TrialScreen {
  /**
   * @param {string} kind the protocol
   * @param {() => void} leave
   * @param {import("./visitor/absence.js").Absence} absence
   */
  constructor(kind, say, leave, absence) {
    this.kind = kind;
    this.say = say;
    this.stacks = matchMedia(STACKED);
    this.lastPick = -Infinity;
    this.absence = absence;
    this.build(leave);
    this.setReady(false);
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  build(leave) {
    const { parts, layout, answers } = KINDS[this.kind];
    this.prompt = element("h1", { tabindex: -1 });
    this.count = element("p", { class: "count", "aria-live": "polite" });
    this.bar = element("progress", { "aria-hidden": "true" });
    this.parts = [...Array(parts).keys()].map((part) => this.buildPart(part, !answers));
    this.stage = element("div", { class: `stage ${layout}` }, ...this.parts);
    this.buttons = answers
      ? answers.map((label, choice) => this.buildAnswer(label, choice))
      : this.parts;
    this.hint = element("p", { class: "hint" });
    this.answers = element("div", { class: "answers" }, ...(answers ? this.buttons : []));
    this.feedbackLine = element("div", { class: "feedback", role: "status" });
    const leaving = { type: "button", class: "quiet", click: leave };
    this.node = element(
      "section",
      { class: "trial" },
      element(
        "header",
        {},
        element("button", leaving, this.say("leave")),
        this.prompt,
        this.count,
        this.bar,
      ),
      this.stage,
      element("footer", {}, this.hint, this.feedbackLine, this.answers),
    );
  }

  /** A part of the picture: a button where photos are picked, else a mere figure. */
  buildPart(part, isButton) {
    const image = element("img", { alt: "", draggable: "false" });
    const label = this.say("photo", { number: part + 1 });
    const attributes = { class: "part", "aria-label": label, "data-part": part };
    const tag = element("span", { class: "tag" });
    if (!isButton) return element("div", { ...attributes, role: "img" }, image, tag);
    const picks = { type: "button", "aria-keyshortcuts": part + 1, click: () => this.pick(part) };
    return element("button", { ...attributes, ...picks }, image, tag);
  }

  buildAnswer(label, choice) {
    const attributes = { type: "button", class: "answer", "aria-keyshortcuts": choice + 1 };
    const arrow = element("kbd", { "aria-hidden": "true" }, choice === 0 ? "←" : "→");
    const content = choice === 0 ? [arrow, this.say(label)] : [this.say(label), arrow];
    return element("button", { ...attributes, click: () => this.pick(choice) }, ...content);
  }

  /** Announces a trial, before its picture is there. */
  announce({ trial, position, total }, showsKeys) {
    const count = trial.practice ? "practice_count" : "count";
    this.count.textContent = this.say(count, { position, total });
    this.bar.max = total;
    this.bar.value = position;
    this.prompt.textContent = trial.prompt || this.say(`prompt_${this.kind}`);
    this.hint.textContent = showsKeys ? this.say(this.keysHint()) : "";
    this.clear();
  }

  keysHint() {
    if (KINDS[this.kind].answers) return ""; // the buttons show their keys
    if (matchMedia("(hover: none)").matches) return "keys_tap";
    return this.stacks.matches ? "keys_stacked" : "keys_pair";
  }

  clear() {
    this.node.dataset.view = "blank";
    if (this.feedbackLine.contains(document.activeElement)) this.prompt.focus();
    fill(this.feedbackLine);
    for (const each of [...this.parts, ...this.buttons]) delete each.dataset.chosen;
    for (const part of this.parts) part.querySelector(".tag").textContent = "";
  }

  /**
   * Shows the picture and waits for the choice. The clock starts when the picture is decoded and
   * the frame that shows it is painted; after timed parts, when the question stands on the blank.
   * @returns {Promise<{choice: number, rt_ms: number, shown_ms: number, focus_lost: number,
   *   view: object}>} `view`: frames of a timed picture, its size on the page
   */
  async ask(trial, picture) {
    await this.load(trial, picture);
    await wait(this.lastPick + DOUBLE_PRESS_MS - performance.now());
    const isTimed = trial.exposure_ms > 0;
    const exposure = isTimed && new Exposure(trial.exposure_ms, await frameTime());
    this.absence.begin();
    const asked = !isTimed
      ? this.askAtOnce()
      : this.kind === "pick-fake-sequential"
        ? this.askAfterParts(exposure)
        : this.askWhileShown(exposure);
    const { view, ...answer } = await asked;
    return { ...answer, view: { ...view, ...this.drawn() } };
  }

  async load(trial, picture) {
    const images = this.parts.map((part) => part.querySelector("img"));
    for (const image of images) image.src = picture;
    await Promise.all(images.map((image) => image.decode()));
    const { naturalWidth, naturalHeight } = images[0];
    this.stage.style.setProperty("--width", naturalWidth / trial.parts);
    this.stage.style.setProperty("--height", naturalHeight);
  }

  async askAtOnce() {
    await this.reveal("all");
    const answer = await this.choice(performance.now());
    return { ...answer, shown_ms: answer.rt_ms };
  }

  async askWhileShown(exposure) {
    let isAnswered = false;
    const started = new Promise((resolve) => (exposure.onPainted = resolve));
    exposure.run(["all"], (view) => this.look(view), () => isAnswered);
    await started;
    const answer = await this.choice(performance.now());
    isAnswered = true;
    return { ...answer, shown_ms: exposure.shownMs ?? answer.rt_ms, view: exposure.measured() };
  }

  async askAfterParts(exposure) {
    const views = [...this.parts.keys()].map((part) => `part-${part}`);
    await exposure.run(views, (view) => this.look(view));
    await painted();
    const answer = await this.choice(performance.now());
    return { ...answer, shown_ms: exposure.shownMs, view: exposure.measured() };
  }

  look(view) {
    this.node.dataset.view = view;
  }

  /** How a part stands on the page, in CSS pixels. */
  drawn() {
    const [{ width, height }] = this.parts.map((part) => part.getBoundingClientRect());
    const isPair = KINDS[this.kind].layout === "pair";
    return {
      drawn_width: width,
      drawn_height: height,
      device_pixel_ratio: devicePixelRatio,
      layout: !isPair ? "single" : this.stacks.matches ? "stacked" : "beside",
    };
  }

  async reveal(view) {
    this.node.dataset.view = view;
    await painted();
  }

  /** The next press, once: further ones count for nothing until the next picture is shown. */
  async choice(start) {
    this.setReady(true);
    const choice = await new Promise((resolve) => (this.resolve = resolve));
    this.lastPick = performance.now();
    this.setReady(false);
    const rt = Math.round(this.lastPick - start);
    return { choice, rt_ms: rt, ...this.absence.told() };
  }

  setReady(isReady) {
    this.node.toggleAttribute("data-ready", isReady);
    for (const button of this.buttons) button.setAttribute("aria-disabled", !isReady);
  }

  pick(choice) {
    if (!this.resolve) return;
    this.buttons[choice].dataset.chosen = "";
    this.resolve(choice);
    this.resolve = null;
  }

  onKey(event) {
    if (event.repeat && event.key === "Enter") event.preventDefault();
    const isPlain = !(event.ctrlKey || event.altKey || event.metaKey || event.repeat);
    if (!isPlain || !this.node.isConnected || document.querySelector("dialog[open]")) return;
    const isStacked = !KINDS[this.kind].answers && this.stacks.matches;
    const choice = (isStacked ? STACKED_KEYS : KEYS)[event.key];
    if (choice === undefined) return;
    event.preventDefault();
    this.pick(choice);
  }

  marked() {
    return wait(MARK_MS);
  }

  /** In practice: which part was which, until the participant goes on. */
  async feedback(choice, isCorrect) {
    const original = this.originalPart(choice, isCorrect);
    const truth = (part) => this.say(part === original ? "original" : "colorized");
    const truths = this.parts.map((_, part) => truth(part));
    for (const [part, node] of this.parts.entries()) {
      node.querySelector(".tag").textContent = truths[part];
    }
    this.node.dataset.view = "feedback";
    this.hint.textContent = "";
    await new Promise((resolve) => {
      const attributes = { type: "button", class: "primary", click: resolve };
      const proceed = element("button", attributes, this.say("continue"));
      const spoken = this.parts.map((node, part) => `${node.getAttribute("aria-label")}: ${truths[part]}. `);
      fill(
        this.feedbackLine,
        element("p", {}, this.say(isCorrect ? "right" : "wrong")),
        element("span", { class: "unseen" }, ...spoken),
        proceed,
      );
      proceed.focus({ preventScroll: true });
    });
  }

  /** Which part is the original: the one picked, or the other; -1 where there is none. */
  originalPart(choice, isCorrect) {
    const truth = isCorrect ? choice : 1 - choice;
    if (this.kind === "single") return truth === 0 ? 0 : -1;
    return this.kind === "pick-fake-sequential" ? 1 - truth : truth;
  }
}

/** Shows for a time by counting frames: from the first that shows a view to the first without. */
class Exposure {
  /** @param {number} ms how long each view is to be shown @param {number} frameMs of the screen */
  constructor(ms, frameMs) {
    this.frameMs = frameMs;
    this.wantedMs = (Math.max(1, Math.round(ms / frameMs)) - 0.5) * frameMs;
    this.frames = 0;
    this.dropped = 0;
    this.onPainted = () => {};
  }

  /** Shows views one after the other, without a gap, then hides; stops where `isEnough`. */
  async run(views, show, isEnough = () => false) {
    const first = await frame();
    let now = first;
    for (const view of views) {
      const start = now;
      show(view);
      do {
        const next = await frame();
        if (isEnough()) return;
        this.frames += 1;
        this.dropped += Math.max(0, Math.round((next - now) / this.frameMs) - 1);
        now = next;
        this.onPainted();
      } while (now - start < this.wantedMs);
    }
    show("hidden");
    this.shownMs = tenths(now - first);
  }

  measured() {
    const rate = tenths(1000 / this.frameMs);
    return { frames: this.frames, dropped_frames: this.dropped, refresh_hz: rate };
  }
}

/** Measures the screen's time from frame to frame, while it is blank before a timed picture. */
async function frameTime() {
  const times = [await frame()];
  while (times[times.length - 1] - times[0] < BLANK_BEFORE_TIMED_MS) times.push(await frame());
  const steps = times.slice(1).map((time, index) => time - times[index]);
  const middle = steps.sort((one, other) => one - other)[Math.floor(steps.length / 2)];
  return Math.min(Math.max(middle, 1), 100);
}

const tenths = (value) => Math.round(value * 10) / 10;
