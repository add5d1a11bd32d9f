// What a study may ask beside a choice: how sure one is, and what gave the picture away.

import { element, fill } from "../dom.js";

const LEVELS = 4; // as the server takes them, 1 = a guess
const MOST_MARKS = 20;
const STEP = 0.05; // of a part's width or height, at a press of an arrow key
const FINE_STEP = 0.01;
const DOUBLE_PRESS_MS = 300; // a second press of the choice is no answer to what comes after it
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The rating and the marks of a trial, asked one after the other in the place of the answers. */
export class Evidence {
  /** @param {object} screen the trial's: its kind, prompt, hint, parts, node */
  constructor(screen, say) {
    this.screen = screen;
    this.say = say;
    this.node = element("div", { class: "evidence", role: "group" });
    this.isAsking = false;
  }

  clear() {
    fill(this.node);
    delete this.screen.node?.dataset.asks;
    for (const part of this.screen.parts) {
      part.classList.remove("suspect");
      for (const each of part.querySelectorAll(".mark, .cursor")) each.remove();
    }
  }

  /** @returns {Promise<{confidence?: number, marks?: {part: number, x: number, y: number}[]}>} */
  async ask(trial, choice) {
    const found = {};
    const asked = this.screen.prompt.textContent;
    this.isAsking = true;
    if (trial.confidence) found.confidence = await this.rating();
    if (trial.marks) found.marks = await this.marks(this.suspect(choice));
    this.isAsking = false;
    this.screen.lastPick = performance.now();
    this.screen.prompt.textContent = asked;
    this.clear();
    return found;
  }

  /** Takes the place of prompt, hint and answers. */
  put(asks, prompt, hint, ...content) {
    this.screen.node.dataset.asks = asks;
    this.screen.prompt.textContent = prompt;
    this.screen.hint.textContent = hint;
    this.since = performance.now();
    this.node.setAttribute("aria-label", prompt);
    fill(this.node, ...content);
  }

  get isTooSoon() {
    return performance.now() - this.since < DOUBLE_PRESS_MS;
  }

  rating() {
    return new Promise((resolve) => {
      const numbers = [...Array(LEVELS).keys()].map((at) => at + 1);
      const rate = (level) => {
        if (this.isTooSoon) return;
        removeEventListener("keydown", onKey);
        resolve(level);
      };
      const onKey = (event) => {
        const isPlain = !(event.ctrlKey || event.altKey || event.metaKey || event.repeat);
        const level = Number(event.key);
        if (!isPlain || !numbers.includes(level) || document.querySelector("dialog[open]")) return;
        event.preventDefault();
        rate(level);
      };
      const buttons = numbers.map((level) =>
        element(
          "button",
          {
            type: "button",
            class: "answer",
            "aria-keyshortcuts": level,
            click: () => rate(level),
          },
          element("kbd", { "aria-hidden": "true" }, level),
          this.say(`confidence_${level}`),
        ),
      );
      this.put("confidence", this.say("confidence"), "", ...buttons);
      this.screen.prompt.focus();
      addEventListener("keydown", onKey);
    });
  }

  /** The part that the choice holds to be colorized, or less real; none where it accuses none. */
  suspect(choice) {
    const { kind, parts } = this.screen;
    if (kind === "single") return choice === 1 ? parts[0] : undefined;
    return parts[kind === "pick-fake-sequential" ? choice : 1 - choice];
  }

  /** Places in a part, by pointer or keys, until the participant goes on. */
  async marks(part) {
    if (!part) return [];
    const found = [];
    const number = Number(part.dataset.part);
    const cursor = element("span", { class: "cursor", "aria-hidden": "true" });
    const at = { x: 0.5, y: 0.5 };
    const undo = element("button", { type: "button", class: "quiet", click: () => drop() });
    undo.textContent = this.say("undo");
    const proceed = element("button", { type: "button", class: "primary" });
    const count = element("span", { class: "unseen", role: "status" });
    const show = () => {
      undo.disabled = !found.length;
      proceed.textContent = this.say(found.length ? "continue" : "skip");
      count.textContent = found.length ? this.say("marks_count", { count: found.length }) : "";
    };
    const put = (x, y) => {
      if (found.length === MOST_MARKS) return;
      found.push({ part: number, x: rounded(x), y: rounded(y) });
      part.append(place(element("span", { class: "mark", "aria-hidden": "true" }), x, y));
      show();
    };
    const drop = () => {
      found.pop();
      [...part.querySelectorAll(".mark")].pop()?.remove();
      show();
    };
    const onClick = (event) => {
      if (!event.detail || this.isTooSoon) return; // of a key, or of the choice
      const box = part.getBoundingClientRect();
      put(share(event.clientX - box.left, box.width), share(event.clientY - box.top, box.height));
    };
    const onKey = (event) => {
      const arrow = ARROWS[event.key];
      if (event.ctrlKey || event.altKey || event.metaKey || this.isTooSoon) return;
      if (arrow) {
        const step = event.shiftKey ? FINE_STEP : STEP;
        at.x = share(at.x + arrow[0] * step, 1);
        at.y = share(at.y + arrow[1] * step, 1);
        part.append(place(cursor, at.x, at.y));
      } else if (["Enter", " "].includes(event.key)) {
        if (!event.repeat) put(at.x, at.y);
      } else if (event.key === "Backspace") drop();
      else return;
      event.preventDefault();
    };
    const isTouch = matchMedia("(hover: none)").matches;
    const prompt = this.say(this.screen.kind === "preference" ? "marks_preference" : "marks");
    this.put("marks", prompt, isTouch ? "" : this.say("marks_keys"), undo, proceed, count);
    show();
    part.classList.add("suspect");
    const before = this.screen.node.dataset.view;
    this.screen.node.dataset.view = "marks";
    const isButton = part.tagName === "BUTTON";
    if (isButton) part.setAttribute("aria-disabled", false);
    else part.tabIndex = 0;
    part.focus({ preventScroll: true });
    part.addEventListener("click", onClick);
    part.addEventListener("keydown", onKey);
    await new Promise((resolve) => proceed.addEventListener("click", resolve));
    part.removeEventListener("click", onClick);
    part.removeEventListener("keydown", onKey);
    if (isButton) part.setAttribute("aria-disabled", true);
    else part.removeAttribute("tabindex");
    this.screen.node.dataset.view = before;
    this.screen.prompt.focus();
    return found;
  }
}

const share = (length, whole) => Math.min(Math.max(length / whole, 0), 1);

const rounded = (value) => Math.round(value * 10000) / 10000;

function place(node, x, y) {
  node.style.left = `${x * 100}%`;
  node.style.top = `${y * 100}%`;
  return node;
}
