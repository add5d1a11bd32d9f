// What is read and filled in: consent, instructions, questions, breaks, the end. Each function
// shows one screen; those that ask return a promise of what the participant chose.

import { element, fill, wait } from "./dom.js";
import { isSafeLink, markdown } from "./markdown.js";

export class Screens {
  /** @param {HTMLElement} place @param {(key: string, values?: object) => string} say */
  constructor(place, say) {
    this.place = place;
    this.say = say;
  }

  /** Replaces what is shown and moves the focus to its heading, for screen readers. */
  show(node) {
    const isFirst = !this.place.hasChildNodes();
    fill(this.place, node);
    scrollTo(0, 0);
    // The first screen takes no focus: in a frame it would be taken from the page around it.
    if (!isFirst) node.querySelector("h1").focus({ preventScroll: true });
  }

  screen(title, ...content) {
    const heading = element("h1", { tabindex: -1 }, title);
    this.show(element("section", { class: "screen" }, heading, ...content));
  }

  button(label, onClick, kind = "primary") {
    return element("button", { type: "button", class: kind, click: onClick }, this.say(label));
  }

  /**
   * A last word; `again`, where given, is the label of a button that loads the page anew, and
   * `address` where a link leads back, `receipt` a code to keep.
   */
  message(title, again, text = this.say(`${title}_text`), address = "", receipt = "") {
    this.screen(
      this.say(title),
      element("p", {}, text),
      receipt ? this.code(receipt, "receipt") : undefined,
      isSafeLink(address)
        ? element("a", { class: "primary", href: address, target: "_top" }, this.say("return"))
        : undefined,
      again && element("div", { class: "actions" }, this.button(again, () => location.reload())),
    );
  }

  /**
   * A text and a button to go on; resolves when it is pressed.
   * @param {{leave: () => void, leaveLabel?: string, notes?: string[], byEnter?: boolean,
   *   boxes?: string[], prints?: boolean}} options
   *   `byEnter`: Enter on the heading, where the focus is, goes on too; `boxes` all have to be
   *   ticked before; `prints`: a copy is offered
   */
  page(title, text, proceed, options) {
    const { leave, leaveLabel = "leave", notes = [], byEnter = true, boxes = [], prints } = options;
    const ticks = boxes.map(() => element("input", { type: "checkbox", required: true }));
    return new Promise((resolve) => {
      const goOn = () => {
        if (ticks.some((tick) => !tick.reportValidity())) return;
        button.disabled = true;
        resolve();
      };
      const button = this.button(proceed, goOn);
      this.screen(
        title,
        ...notes.map((note) => element("p", { class: "note" }, note)),
        element("div", { class: "prose" }, markdown(text)),
        ...ticks.map((tick, at) => element("label", { class: "choice" }, tick, boxes[at])),
        element(
          "div",
          { class: "actions" },
          button,
          this.button(leaveLabel, leave, "quiet"),
          prints ? this.button("print", () => window.print(), "quiet") : undefined,
        ),
        prints ? element("p", { class: "printed" }, today()) : undefined,
      );
      if (!byEnter) return;
      this.place.querySelector("h1").addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.repeat) goOn();
      });
    });
  }

  /**
   * A form of questions; resolves to the answers by question.
   * @param {{proceed: string, leave: () => void, draft?: object, problem?: string,
   *   keep?: (answers: object) => void}} form `keep` is told each change
   */
  questions(questions, { proceed, leave, draft = {}, problem, keep = () => {} }) {
    return new Promise((resolve) => {
      const form = element(
        "form",
        {
          input: () => keep(readAnswers(form, questions)),
          submit: (event) => {
            event.preventDefault();
            form.querySelector(".primary").disabled = true;
            resolve(readAnswers(form, questions));
          },
        },
        ...questions.map((question, index) => this.question(question, index, draft[question.id])),
        problem && element("p", { class: "problem", role: "alert" }, problem),
        element(
          "div",
          { class: "actions" },
          element("button", { class: "primary" }, this.say(proceed)),
          this.button("leave", leave, "quiet"),
        ),
      );
      this.screen(this.say("questions_title"), form);
    });
  }

  question({ id, ask, choices, required = true }, index, answer) {
    const name = fieldName(index);
    const optional = required ? undefined : element("small", {}, this.say("optional"));
    if (!choices?.length) {
      const text = element("textarea", { name, rows: 3, maxlength: 2000, required });
      text.value = answer ?? "";
      return element("label", { class: "question" }, element("span", {}, ask, optional), text);
    }
    return element(
      "fieldset",
      { class: "question" },
      element("legend", {}, ask, optional),
      ...choices.map((value) => {
        const box = element("input", { type: "radio", name, value, required });
        box.checked = value === answer;
        return element("label", { class: "choice" }, box, value);
      }),
    );
  }

  /** Asks in a dialog whether to leave; resolves to the answer. */
  confirmLeaving() {
    // Without dialogs of the page's own, as before 2022, the browser's.
    if (!window.HTMLDialogElement?.prototype.showModal) {
      return Promise.resolve(confirm(`${this.say("leave_title")}\n\n${this.say("leave_text")}`));
    }
    return new Promise((resolve) => {
      const close = (leaves) => () => dialog.close(leaves ? "leave" : "");
      const dialog = element(
        "dialog",
        { "aria-labelledby": "leave-title", close: () => resolve(dialog.returnValue === "leave") },
        element("h2", { id: "leave-title" }, this.say("leave_title")),
        element("p", {}, this.say("leave_text")),
        element(
          "div",
          { class: "actions" },
          this.button("stay", close(false)),
          this.button("leave", close(true), "secondary"),
        ),
      );
      document.body.append(dialog);
      dialog.addEventListener("close", () => dialog.remove());
      dialog.showModal();
    });
  }

  /** The end: thanks, score beside chance, completion code, link back, how to be forgotten. */
  end({ code, return_url: address, score, receipt }, isReturning, language) {
    const thanks = isReturning
      ? element("p", {}, this.say("finished_text"))
      : element("div", { class: "prose" }, markdown(this.say("thanks")));
    this.screen(
      this.say(isReturning ? "finished" : "end_title"),
      thanks,
      score ? this.score(score, language) : undefined,
      code ? this.code(code) : undefined,
      address && isSafeLink(address)
        ? element("a", { class: "primary", href: address, target: "_top" }, this.say("return"))
        : element("p", { class: "soft" }, this.say("may_close")),
      receipt
        ? element("p", { class: "receipt soft" }, this.say("receipt"), " ", element("b", {}, receipt))
        : undefined,
    );
  }

  score({ correct, total }, language) {
    const share = correct / total;
    const percent = new Intl.NumberFormat(language, { style: "percent" }).format(share);
    const chart = element("div", { class: "score-bar", "aria-hidden": "true" });
    chart.style.setProperty("--share", share);
    chart.append(
      element("span", { class: "score-own" }),
      element("span", { class: "score-chance" }, this.say("score_chance")),
    );
    return element(
      "div",
      { class: "score" },
      element("p", { class: "score-figure" }, percent),
      element("p", {}, this.say("score", { correct, total })),
      chart,
    );
  }

  code(code, label = "code") {
    const shown = element("code", { class: "code" }, code);
    const copy = this.button("copy", async () => {
      const copied = await copyText(shown);
      copy.textContent = this.say(copied ? "copied" : "copy_by_hand");
      await wait(2000);
      copy.textContent = this.say("copy");
    }, "secondary");
    return element(
      "div",
      { class: "completion" },
      element("p", { class: "soft" }, this.say(label)),
      element("div", { class: "actions" }, shown, copy),
    );
  }
}

/** The date in the page's language. */
function today() {
  const form = { year: "numeric", month: "long", day: "numeric" };
  return new Date().toLocaleDateString(document.documentElement.lang, form);
}

// Fields are numbered: a question's own id could shadow a property of the form.
const fieldName = (index) => `question-${index}`;

function readAnswers(form, questions) {
  const fields = new FormData(form);
  const answers = questions.map(({ id }, index) => [id, fields.get(fieldName(index))?.trim()]);
  return Object.fromEntries(answers.filter(([, answer]) => answer));
}

/** Copies an element's text; where the clipboard is closed to the page, selects it. */
async function copyText(node) {
  try {
    await navigator.clipboard.writeText(node.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(node);
    return document.execCommand("copy");
  }
}
