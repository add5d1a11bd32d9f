// One trial on the screen: the picture's parts, the clock, the choice by key, click or tap.

import { element, fill, painted, wait } from "../dom.js";
import { Evidence } from "./evidence.js";
import { Exposure, frameTime } from "./exposure.js";
import { fillWithNoise } from "./mask.js";

const MARK_MS = 150;
const DOUBLE_PRESS_MS = 300; // no picture is shown so soon after a press: a second one finds none

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
const ALIKE = 2; // the choice that finds both parts alike, where the study allows it
const KEYS = { ArrowLeft: 0, 1: 0, ArrowRight: 1, 2: 1, 3: ALIKE };
const STACKED_KEYS = { ...KEYS, ArrowUp: 0, ArrowDown: 1 };

/** The screen of a study's trials: it stays from trial to trial, and so does the focus. */
export class TrialScreen {
  /**
   * @param {string} kind the protocol
   * @param {() => void} leave
   * @param {import("../visitor/absence.js").Absence} absence
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
    this.alike = this.buildAlike();
    this.evidence = new Evidence(this, this.say);
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
      element(
        "footer",
        {},
        this.hint,
        this.feedbackLine,
        this.evidence.node,
        this.answers,
        this.alike,
      ),
    );
  }

  /** A part of the picture: a button where photos are picked, else a mere figure. */
  buildPart(part, isButton) {
    const image = element("img", { alt: "", draggable: "false" });
    const label = this.say("photo", { number: part + 1 });
    const attributes = { class: "part", "aria-label": label, "data-part": part };
    const tag = element("span", { class: "tag" });
    const mask = element("canvas", { class: "mask", "aria-hidden": "true" });
    if (!isButton) return element("div", { ...attributes, role: "img" }, image, mask, tag);
    const picks = { type: "button", "aria-keyshortcuts": part + 1, click: () => this.pick(part) };
    return element("button", { ...attributes, ...picks }, image, mask, tag);
  }

  /** The button of who finds both alike; it is there where a trial allows that. */
  buildAlike() {
    const attributes = { type: "button", class: "answer alike", "aria-keyshortcuts": ALIKE + 1 };
    const key = element("kbd", { "aria-hidden": "true" }, ALIKE + 1);
    const press = { click: () => this.pick(ALIKE), hidden: true };
    return element("button", { ...attributes, ...press }, this.say("answer_alike"), key);
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
    this.alike.hidden = !trial.ties;
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
    this.evidence.clear();
    for (const each of [...this.parts, ...this.buttons, this.alike]) delete each.dataset.chosen;
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
    const isFramed = trial.exposure_ms > 0 || trial.fixation_ms > 0 || trial.gap_ms > 0;
    const exposure = isFramed && new Exposure(await frameTime());
    this.absence.begin();
    const asked = !(trial.exposure_ms > 0)
      ? this.askAtOnce(trial, exposure)
      : this.kind === "pick-fake-sequential"
        ? this.askAfterParts(trial, exposure)
        : this.askWhileShown(trial, exposure);
    const { view, ...answer } = await asked;
    return { ...answer, view: { ...view, ...this.drawn() } };
  }

  /** What comes before a picture, the picture, and what comes after it, where the trial has it. */
  steps({ exposure_ms, gap_ms = 0, mask_ms = 0 }, part) {
    return [
      { view: "blank", ms: gap_ms },
      { view: part, ms: exposure_ms, isPicture: true },
      { view: `mask ${part}`, ms: mask_ms },
    ];
  }

  async load(trial, picture) {
    const images = this.parts.map((part) => part.querySelector("img"));
    for (const image of images) image.src = picture;
    await Promise.all(images.map((image) => image.decode()));
    const { naturalWidth, naturalHeight } = images[0];
    this.stage.style.setProperty("--width", naturalWidth / trial.parts);
    this.stage.style.setProperty("--height", naturalHeight);
    if (trial.mask_ms > 0) this.fillMasks(naturalWidth / trial.parts, naturalHeight);
  }

  fillMasks(width, height) {
    for (const part of this.parts) fillWithNoise(part.querySelector(".mask"), width, height);
  }

  async askAtOnce({ fixation_ms = 0, gap_ms = 0 }, exposure) {
    const before = [fixation(fixation_ms), { view: "blank", ms: gap_ms }];
    if (exposure) await exposure.run(before, (view) => this.look(view));
    await this.reveal("all");
    const answer = await this.choice(performance.now());
    return { ...answer, shown_ms: answer.rt_ms };
  }

  async askWhileShown(trial, exposure) {
    let isAnswered = false;
    const started = new Promise((resolve) => (exposure.onPainted = resolve));
    const steps = [fixation(trial.fixation_ms), ...this.steps(trial, "all")];
    const over = exposure.run(steps, (view) => this.look(view), () => isAnswered)
      .then(() => this.look("hidden"));
    await started;
    const answer = await this.choice(performance.now());
    isAnswered = true;
    await over; // so that what is asked next finds no picture, however soon the answer came
    return { ...answer, shown_ms: exposure.shownMs, view: exposure.measured() };
  }

  async askAfterParts(trial, exposure) {
    const parts = [...this.parts.keys()].flatMap((part) => this.steps(trial, `part-${part}`));
    await exposure.run([fixation(trial.fixation_ms), ...parts], (view) => this.look(view));
    this.look("hidden");
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
    for (const button of [...this.buttons, this.alike]) {
      button.setAttribute("aria-disabled", !isReady);
    }
  }

  pick(choice) {
    if (!this.resolve) return;
    (this.buttons[choice] ?? this.alike).dataset.chosen = "";
    this.resolve(choice);
    this.resolve = null;
  }

  onKey(event) {
    if (event.repeat && event.key === "Enter") event.preventDefault();
    const isPlain = !(event.ctrlKey || event.altKey || event.metaKey || event.repeat);
    if (!isPlain || !this.node.isConnected || document.querySelector("dialog[open]")) return;
    const isStacked = !KINDS[this.kind].answers && this.stacks.matches;
    const choice = (isStacked ? STACKED_KEYS : KEYS)[event.key];
    if (choice === undefined || this.evidence.isAsking) return;
    if (choice === ALIKE && this.alike.hidden) return;
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

const fixation = (ms = 0) => ({ view: "fixation", ms });
