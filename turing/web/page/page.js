// The participant's page: from consent to the end, and back to the same trial after a reload.

import { Client, Refusal } from "./client.js";
import { parametersOf } from "./link.js";
import { Pictures } from "./pictures.js";
import { Screens } from "./screens.js";
import { TrialScreen } from "./trial.js";

const OWN_PARAMETERS = ["study", "preview"];
const SLOW_MS = 1000;

class Page {
  constructor() {
    this.parameters = parametersOf(location.search);
    this.texts = {};
    this.screens = new Screens(document.getElementById("page"), (...text) => this.say(...text));
    this.name = this.parameters.get("study") ?? "";
    const preview = this.parameters.get("preview") ?? null;
    const address = new URL(`${this.name}/`, servedBelow());
    const keyspace = `study/${this.name}${preview ? `/preview/${preview}` : ""}`;
    this.client = new Client(address, keyspace, preview, (...told) => this.tellTrouble(...told));
    this.pictures = new Pictures(this.client);
    this.leave = () => this.askToLeave();
    this.recoveries = 0;
  }

  /** A text by its key, the study's own first, with {values} filled in. */
  say(key, given = {}) {
    const values = Object.assign(Object.create(null), given);
    const text = this.texts[key] ?? "";
    const value = (hole, name) => (name in values ? values[name] : hole);
    return text.replace(/\{(\w+)\}/g, value);
  }

  tellTrouble(trouble, code) {
    if (trouble && code === "full") this.tell("full");
    else this.tell(trouble && (this.client.hasUnsent ? "answer_kept" : "no_answer"));
  }

  /** Says something in one quiet line, or nothing. */
  tell(key) {
    const line = document.getElementById("quiet");
    line.textContent = key ? this.say(key) : "";
    line.hidden = !key;
  }

  async run() {
    this.texts = await this.client.insist(() => loadTexts("en"));
    if (!/^[A-Za-z0-9-]+$/.test(this.name)) throw new Refusal(404, "unknown");
    this.info = await this.client.info();
    await this.useTexts();
    const id = this.parameters.get(this.info.link.get("identify_by"))?.trim();
    this.client.meet(id);
    this.lacksId = this.info.link.get("require_id") === "true" && !id && !this.client.preview;
    let find = () => this.client.resume();
    for (;;) {
      try {
        const state = await find();
        const isOver = ["done", "withdrawn", "screened_out"].includes(state?.stage);
        if (isOver && this.client.preview) find = () => this.client.drop(); // walk it once more
        else if (!state && this.lacksId) return this.screens.message("no_id");
        else return await this.walk(state ?? (await this.enter()), isOver);
      } catch (problem) {
        find = this.recovery(problem);
      }
    }
  }

  async walk(state, isReturning) {
    while (state.trial) state = await this.trial(state);
    const ends = { withdrawn: "left", screened_out: "screened_out" };
    const ended = ends[state.stage];
    if (ended) this.lastWord(ended, { receipt: state.receipt });
    else await this.end(state, isReturning);
  }

  /** How to find the state again after a refusal that another tab or a lost store explains. */
  recovery(problem) {
    if (problem.status === 401) {
      this.client.drop();
      this.lostSession = true;
      return () => undefined;
    }
    const isStale = ["answered", "withdrawn", "screened", "unfinished"].includes(problem.code);
    const isGone = problem.status === 404 && this.info;
    this.recoveries += 1;
    if (!(problem instanceof Refusal && (isStale || isGone)) || this.recoveries > 3) throw problem;
    return () => this.client.state();
  }

  async useTexts() {
    const { language, texts, title } = this.info;
    await this.speak(language);
    const given = Object.entries(texts ?? {}).filter(([, text]) => text);
    this.texts = { ...this.texts, ...Object.fromEntries(given) };
    document.documentElement.lang = language;
    document.title = title;
  }

  /** Speaks a language from here on, as far as there are texts for it. */
  async speak(language) {
    const texts = await textsOf(language);
    if (Object.keys(texts).length) document.documentElement.lang = language;
    this.texts = { ...this.texts, ...texts };
  }

  /** Consent, instructions, questions, start. */
  async enter() {
    const notes = [];
    if (this.lostSession) notes.push(this.say("session_lost"));
    if (this.client.preview) notes.push(this.say("preview"));
    if (this.client.keepsNothing) notes.push(this.say("keeps_nothing"));
    const decline = () => this.lastWord("declined", { again: "back" });
    const boxes = this.info.consent_boxes;
    await this.screens.page(this.info.title, this.say("consent"), "agree", {
      leave: decline,
      leaveLabel: "decline",
      notes,
      boxes,
      prints: true,
      byEnter: false,
    });
    const query = this.query();
    const returning = await this.comeBack(query);
    if (returning) return returning;
    const instructions = this.say("instructions") || this.say(`instructions_${this.info.protocol}`);
    const proceed = this.info.questions?.length ? "continue" : "start";
    const title = this.say("instructions_title");
    await this.screens.page(title, instructions, proceed, { leave: decline });
    return this.submit(this.info.questions, { proceed: "start", leave: decline }, (answers) =>
      this.client.start(query, answers),
    );
  }

  /** What the study asks of the address. */
  query() {
    const asked = this.info.link.getAll("query");
    const isSaid = this.info.link.has("require_id");
    const isAsked = (key) => (isSaid ? asked.includes(key) : !OWN_PARAMETERS.includes(key));
    return Object.fromEntries([...this.parameters].filter(([key]) => isAsked(key)));
  }

  /** The state of who is known by their ID, where that is enough to go on; nothing of others. */
  async comeBack(query) {
    if (this.info.link.get("resume") !== "id" || !this.client.id || this.client.preview) return;
    try {
      return await this.client.start(query, {}, true);
    } catch (refusal) {
      if (refusal.status !== 404) throw refusal;
    }
  }

  /** Sends a form's answers, and shows it again with the server's sentence where it objects. */
  async submit(questions, form, send) {
    if (!questions?.length) return send({});
    for (let problem, draft = form.draft; ; ) {
      const answers = await this.screens.questions(questions, { ...form, draft, problem });
      try {
        return await send(answers);
      } catch (refusal) {
        if (![413, 422].includes(refusal.status) || refusal.code === "id") throw refusal;
        problem = refusal.message;
        draft = answers;
      }
    }
  }

  /** One trial, with the break or the change from practice before it; returns the state after. */
  async trial(state) {
    const { trial } = state;
    this.pictures.keep(trial.picture, state.next_picture);
    this.pictures.prefetch(trial.picture);
    await this.pauseBefore(state);
    const screen = this.trialScreen(trial.kind);
    screen.announce(state, !this.hasSeenKeys);
    if (!screen.node.isConnected) this.screens.show(screen.node);
    const picture = await this.loaded(trial.picture);
    const asked = screen.ask(trial, picture);
    this.pictures.prefetch(state.next_picture);
    const answer = await asked;
    this.hasSeenKeys = true;
    const [reply] = await Promise.all([
      this.client.answer({ trial: trial.trial, ...answer }),
      screen.marked(),
    ]);
    if (typeof reply.correct === "boolean") await screen.feedback(answer.choice, reply.correct);
    this.wasPractice = trial.practice;
    this.recoveries = 0;
    return reply.state;
  }

  async loaded(picture) {
    const slow = setTimeout(() => this.tell("loading"), SLOW_MS);
    try {
      return await this.pictures.get(picture);
    } finally {
      clearTimeout(slow);
      this.tell(null);
    }
  }

  trialScreen(kind) {
    if (!this.shown) {
      this.shown = new TrialScreen(kind, (...text) => this.say(...text), this.leave);
    }
    return this.shown;
  }

  async pauseBefore({ trial, position, total, break: isBreak }) {
    const options = { leave: this.leave };
    if (this.wasPractice && !trial.practice) {
      const told = trial.kind === "preference" ? "practice_over_preference" : "practice_over_text";
      const text = this.say(told, { total });
      await this.screens.page(this.say("practice_over"), text, "start", options);
    } else if (isBreak) {
      const text = this.say("break_text", { done: position - 1, total });
      await this.screens.page(this.say("break"), text, "continue", options);
    }
  }

  /** The questions after, then the end. */
  async end(state, isReturning) {
    const form = {
      proceed: "finish",
      leave: this.leave,
      draft: this.client.draft,
      keep: (answers) => (this.client.draft = answers),
    };
    const end = await this.submit(state.questions, form, (answers) => this.client.finish(answers));
    this.screens.end(end, isReturning, this.info.language);
  }

  /** Says that it is over, with the study's link back, filled in with what this link had. */
  lastWord(how, { again, receipt, link = this.info.link, url = `${how}_url` } = {}) {
    const address = (link?.get(url) ?? "").replace(/\{([^{}]+)\}/g, (_, name) =>
      encodeURIComponent(this.parameters.get(name) ?? ""),
    );
    const isDeleted = how === "left" && link.get("on_leave") === "delete";
    const text = this.say(isDeleted ? "left_deleted_text" : `${how}_text`);
    this.screens.message(how, again, text, address, receipt);
  }

  async askToLeave() {
    if (!(await this.screens.confirmLeaving())) return;
    this.screens.message("leaving");
    // Refused: the server knows of nothing to leave.
    const left = await this.client.leave().catch(() => ({}));
    if (this.info.link.get("on_leave") === "delete") this.client.drop();
    this.lastWord("left", left);
  }

  /** A refusal or a fault that ends the page. */
  async fail(problem) {
    // Where nothing is known of the study, not even its language: the browser's.
    if (!this.info) await this.speak(navigator.language);
    const elsewhere = { link: problem.link, url: "closed_url" };
    if (["already", "blocked"].includes(problem.code)) this.lastWord(problem.code, elsewhere);
    else if (problem.code === "id") this.screens.message("no_id");
    else if (problem.status === 410) this.lastWord("closed", elsewhere);
    else if (problem.status === 404 && !this.info) this.screens.message("unknown");
    else if (problem.status === 422) this.screens.message("failure", "try_again", problem.message);
    else if (problem.code === "origin") this.screens.message("failure", "try_again", problem.message);
    else {
      console.error(problem);
      this.screens.message("failure", "try_again");
    }
  }
}

/** Where the protocol is: the page itself is there too, beside being at /study. */
function servedBelow() {
  const here = new URL(".", import.meta.url);
  const isThere = here.pathname.endsWith("/gradio_api/study/");
  return isThere ? here : new URL("../gradio_api/study/", here);
}

/** Ours for a language, "de" for "de-AT"; nothing where we have none. */
async function textsOf(language) {
  for (const name of new Set([language, language.split("-")[0]])) {
    if (name === "en") break; // loaded before the study was known
    const texts = await loadTexts(name).catch(() => null);
    if (texts) return texts;
  }
  return {};
}

async function loadTexts(language) {
  const address = new URL(`texts/${encodeURIComponent(language)}.json`, import.meta.url);
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.json();
}

const page = new Page();
page.run().catch((problem) => page.fail(problem));
