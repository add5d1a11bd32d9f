// One plate of the colour screening: a ring of dots, and where it is open, by key, click or tap.

import { element, painted, wait } from "../dom.js";

const MARK_MS = 150;
const DOUBLE_PRESS_MS = 300;
const KEYS = {
  ArrowLeft: "left",
  ArrowUp: "up",
  ArrowRight: "right",
  ArrowDown: "down",
  0: "none",
};
const SIGNS = { left: "←", up: "↑", right: "→", down: "↓" };

/** The screen of a study's plates: it stays from plate to plate, as that of the trials does. */
export class PlateScreen {
  /** @param {() => void} leave @param {import("../visitor/absence.js").Absence} absence */
  constructor(kind, say, leave, absence) {
    this.kind = kind;
    this.say = say;
    this.absence = absence;
    this.lastPick = -Infinity;
    this.prompt = element("h1", { tabindex: -1 });
    this.count = element("p", { class: "count", "aria-live": "polite" });
    this.bar = element("progress", { "aria-hidden": "true" });
    this.image = element("img", { alt: "", draggable: "false" });
    const attributes = { class: "part", role: "img", "aria-label": say("plate") };
    this.part = element("div", attributes, this.image);
    this.stage = element("div", { class: "stage single" }, this.part);
    this.answers = element("div", { class: "answers directions" });
    const leaving = { type: "button", class: "quiet", click: leave };
    this.node = element(
      "section",
      { class: "trial plate" },
      element(
        "header",
        {},
        element("button", leaving, say("leave")),
        this.prompt,
        this.count,
        this.bar,
      ),
      this.stage,
      element("footer", {}, this.answers),
    );
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Announces a plate, before its picture is there. */
  announce({ trial, position, total }) {
    this.count.textContent = this.say("plate_count", { position, total });
    this.bar.max = total;
    this.bar.value = position;
    this.prompt.textContent = trial.prompt || this.say("prompt_plate");
    if (!this.buttons) this.offer(trial.answers);
    this.node.dataset.view = "blank";
    for (const button of this.buttons.values()) delete button.dataset.chosen;
    this.setReady(false);
  }

  /** @param {string[]} answers what may be said, in the order of the server's numbers */
  offer(answers) {
    this.said = answers;
    this.buttons = new Map(answers.map((answer) => [answer, this.buildAnswer(answer)]));
    this.answers.append(...this.buttons.values());
  }

  buildAnswer(answer) {
    const label = this.say(`plate_${answer}`);
    const isDirection = answer in SIGNS;
    const attributes = { type: "button", class: `answer ${answer}`, click: () => this.pick(answer) };
    if (isDirection) attributes["aria-label"] = label;
    return element("button", attributes, isDirection ? SIGNS[answer] : label);
  }

  /** Shows the plate and waits for what is said of it. */
  async ask(trial, picture) {
    this.image.src = picture;
    await this.image.decode();
    this.stage.style.setProperty("--width", this.image.naturalWidth);
    this.stage.style.setProperty("--height", this.image.naturalHeight);
    await wait(this.lastPick + DOUBLE_PRESS_MS - performance.now());
    this.absence.begin();
    this.node.dataset.view = "all";
    await painted();
    const start = performance.now();
    this.setReady(true);
    const answer = await new Promise((resolve) => (this.resolve = resolve));
    this.lastPick = performance.now();
    this.setReady(false);
    const rt = Math.round(this.lastPick - start);
    return { choice: this.said.indexOf(answer), rt_ms: rt, shown_ms: rt, ...this.absence.told() };
  }

  setReady(isReady) {
    this.node.toggleAttribute("data-ready", isReady);
    for (const button of this.buttons.values()) button.setAttribute("aria-disabled", !isReady);
  }

  pick(answer) {
    if (!this.resolve) return;
    this.buttons.get(answer).dataset.chosen = "";
    this.resolve(answer);
    this.resolve = null;
  }

  onKey(event) {
    const isPlain = !(event.ctrlKey || event.altKey || event.metaKey || event.repeat);
    if (!isPlain || !this.node.isConnected || document.querySelector("dialog[open]")) return;
    const answer = KEYS[event.key];
    if (!this.buttons?.has(answer)) return;
    event.preventDefault();
    this.pick(answer);
  }

  marked() {
    return wait(MARK_MS);
  }
}
