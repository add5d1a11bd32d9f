// A film: sent, coloured part by part, played while the rest is made, beside the grey one.

import { h, show } from "../dom.js";
import { app, complain, onChange, state } from "../state.js";
import {
  asked, bringBackOptions, onOptions, options, optionsToKeep, resetOptions, watched,
} from "./film_options.js";

const PAUSE = 500; // milliseconds between two looks at how far it is

const title = h("h2", { class: "cz-name" });
const facts = h("p", { class: "cz-facts", role: "status", "aria-live": "polite" });
const bar = h("progress", { "aria-label": "Progress of the film" });
const cancel = h("button", { type: "button", class: "cz-button", onclick: stop }, "Cancel");
const download = h("a", { class: "cz-button cz-main" }, "Download the film");
const away = h("button", { type: "button", class: "cz-button cz-quiet", onclick: close },
  "Remove this film");
const still = h("img", { alt: "" });
const colour = h("video", { controls: true, playsinline: true, "aria-label": "The film in colour" });
const grey = h("video", {
  muted: true, playsinline: true, preload: "metadata", "aria-label": "The film in grey",
});
grey.muted = true;
const greyFigure = h("figure", {}, grey, h("figcaption", {}, "Before"));
const notice = h("p", { class: "cz-error", hidden: true });

/** The film's place on the page. */
export const film = h("section", { class: "cz-film", "aria-label": "Film", hidden: true },
  h("header", { class: "cz-head" }, h("div", { class: "cz-title" }, title, facts)),
  h("div", { class: "cz-film-work" }, bar, cancel), notice,
  h("div", { class: "cz-film-pair" }, greyFigure,
    h("figure", {}, still, colour, h("figcaption", {}, "In colour"))),
  options,
  h("footer", { class: "cz-foot" }, download, h("span", { class: "cz-space" }), away));

/** Whether a file is a film, by its name or kind. */
export const isFilm = (file) => Boolean(app.props.films?.length)
  && (/^video\//.test(file.type)
    || app.props.films.some((ending) => file.name.toLowerCase().endsWith(ending)));

let now = null; // what the app told last
let turn = 0; // of what is being shown: what is late for it is dropped
let playing = -1; // the part, or -1
let local = "";
let path = ""; // of the film, once it was sent

const at = (what) => `gradio_api/colorize/${state.key}/films/${now.number}/${what}`;

/** Sends a film and shows it; one at a time. */
export async function takeFilms(files) {
  const [file] = files, mine = ++turn;
  if (files.length > 1) complain(`One film at a time: ${file.name} is taken.`);
  if (file.size > app.props.film_bytes) {
    return complain(`${file.name} is larger than ${Math.floor(app.props.film_bytes / 2 ** 20)} MB, `
      + "the most for a film here. Save it smaller, then drop it again.");
  }
  reset();
  forget();
  show(film, true);
  title.textContent = file.name;
  facts.textContent = "Sending…";
  film.scrollIntoView({ block: "nearest" });
  local = URL.createObjectURL(file);
  grey.src = local;
  try {
    const sent = await app.upload(file);
    await keyed();
    if (mine !== turn) return;
    path = sent.path;
    show(options, true);
    await begin(mine);
  } catch (error) {
    if (mine === turn) fail(error.message || `${file.name} could not be sent. Drop it again.`);
  }
}

/** What tells the film that is shown, for a reload; null where there is none. */
export const filmToKeep = () =>
  now && { number: now.number, path, options: optionsToKeep() };

/** Shows the film of an earlier visit, which went on meanwhile. */
export async function bringBack(kept) {
  if (!film.hidden) return; // another one was dropped
  const mine = ++turn;
  reset();
  now = { number: kept.number };
  const answer = await fetch(at("state")).catch(() => null);
  const told = answer?.ok ? await answer.json() : null;
  if (mine !== turn) return;
  now = told;
  if (!now) return;
  path = kept.path;
  if (kept.options) bringBackOptions(kept.options);
  title.textContent = now.name;
  local = grey.src = at("grey");
  show(film, true);
  show(options, true);
  drawFilm();
  follow(mine);
}

// Has the film coloured, as the options say.
async function begin(mine) {
  const answer = await fetch(`gradio_api/colorize/${state.key}/films`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      path, model: state.models[0] ?? app.props.models[0].name, ...asked(),
    }),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  if (mine !== turn) return;
  now = told;
  follow(mine);
}

onOptions({
  begins: async () => {
    const mine = ++turn;
    reset();
    facts.textContent = "Sending…";
    grey.src = local;
    try {
      await begin(mine);
    } catch (error) {
      if (mine === turn) fail(error.message);
    }
  },
  takes: async (time) => {
    if (!now) return;
    const answer = await fetch(at(`picture?time=${encodeURIComponent(time)}`)).catch(() => null);
    if (!answer?.ok) {
      return complain((await answer?.json())?.error ?? "The picture could not be fetched. Try again.");
    }
    const name = `${title.textContent.replace(/\.[^.]*$/, "")} ${time.replaceAll(":", "-")}.png`;
    const photo = new File([await answer.blob()], name, { type: "image/png" });
    film.dispatchEvent(new CustomEvent("photo", { detail: photo }));
  },
});

// A session has a key from its first event on.
function keyed() {
  if (state.key) return Promise.resolve();
  app.trigger("photos", { paths: [], goesOn: false });
  return new Promise((resolve) => onChange(() => state.key && resolve()));
}

async function follow(mine) {
  while (mine === turn && !["done", "failed", "cancelled"].includes(now.state)) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    try {
      const answer = await fetch(at("state"));
      const told = await answer.json();
      if (mine !== turn) return;
      if (!answer.ok) return fail(told.error);
      now = told;
    } catch {
      continue; // the connection is lost for a moment
    }
    drawFilm();
  }
}

function drawFilm() {
  const isOver = ["done", "failed", "cancelled"].includes(now.state);
  show(bar.parentElement, !isOver);
  if (now.of) [bar.max, bar.value] = [now.of, now.frames];
  facts.textContent = now.state === "waiting" ? "Waiting for its turn…"
    : now.state === "working" ? `${now.frames}${now.of ? ` of ${now.of}` : ""} frames${left()}`
      : now.state === "done" ? [`${now.frames} frames`, ...now.notices].join(" · ")
        : now.state === "cancelled" ? "Cancelled." : "";
  if (now.error) fail(now.error);
  if (now.hasFirst && !still.src) {
    still.src = at("first");
    still.alt = `${now.name}, first frame, colorized`;
  }
  if (now.state === "done") finish();
  else if (playing < 0 && now.parts.length) play(0);
  else if (colour.dataset.waits === "true" && playing + 1 < now.parts.length) play(playing + 1);
}

const left = () => (now.left == null ? "" : now.left > 90
  ? ` · about ${Math.round(now.left / 60)} min left` : ` · about ${now.left} s left`);

// A part that is whole is played; the next one follows it.
function play(number) {
  const goesOn = number > 0;
  playing = number;
  colour.dataset.waits = "false";
  colour.src = at(`part/${number}`);
  show(still, false);
  show(colour, true);
  if (goesOn) colour.play().catch(() => {});
}

const before = () => now.parts.slice(0, Math.max(0, playing)).reduce((sum, one) => sum + one, 0);

colour.addEventListener("ended", () => {
  if (playing < 0) return grey.pause();
  if (playing + 1 < now.parts.length) play(playing + 1);
  else colour.dataset.waits = "true";
});
colour.addEventListener("play", () => (follows(), grey.play().catch(() => {})));
colour.addEventListener("pause", () => grey.pause());
for (const kind of ["seeked", "timeupdate"]) colour.addEventListener(kind, follows);
grey.addEventListener("error", () => show(greyFigure, false)); // not every browser knows every film

// A browser that plays no H.264 shows the beginning as a picture that moves.
colour.addEventListener("error", () => {
  if (!colour.hasAttribute("src")) return;
  show(colour, false);
  show(still, true);
  if (now?.state === "done") still.src = at("preview");
});

function follows() {
  if (!now) return;
  const wanted = now.start + before() + colour.currentTime;
  watched(wanted);
  if (Math.abs(grey.currentTime - wanted) > 0.2) grey.currentTime = wanted;
}

// The whole film, with its sound, from where it was watched.
function finish() {
  const seen = playing < 0 ? 0 : before() + colour.currentTime, wasPlaying = !colour.paused;
  playing = -1;
  colour.src = at("file");
  colour.onloadedmetadata = () => {
    colour.currentTime = Math.min(seen, colour.duration || 0);
    if (wasPlaying) colour.play().catch(() => {});
  };
  show(still, false);
  show(colour, true);
  download.href = `${at("file")}?download`;
  download.download = now.download;
  show(download, true);
}

async function stop() {
  if (now) await fetch(at("cancel"), { method: "POST" }).catch(() => {});
  else close();
}

function fail(sentence) {
  notice.textContent = sentence;
  show(notice, true);
  show(bar.parentElement, false);
  facts.textContent = "";
  if (path) options.open = true; // a part of it may be taken
}

function reset() {
  if (now) fetch(at("cancel"), { method: "POST" }).catch(() => {});
  [now, playing] = [null, -1];
  for (const video of [colour, grey]) video.removeAttribute("src");
  still.removeAttribute("src");
  colour.onloadedmetadata = null;
  bar.removeAttribute("value");
  for (const node of [colour, download, notice]) show(node, false);
  for (const node of [still, greyFigure, bar.parentElement]) show(node, true);
}

function forget() {
  URL.revokeObjectURL(local);
  [local, path] = ["", ""];
  resetOptions();
  show(options, false);
}

function close() {
  turn += 1;
  reset();
  forget();
  show(film, false);
}
