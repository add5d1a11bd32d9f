// What is asked of a film: which part of it, and pictures of it that somebody coloured.

import { h, show } from "../dom.js";
import { app } from "../state.js";

const from = time("From", "0:00");
const to = time("to", "its end");
const at = time("At", "0:00");
const take = h("button", { type: "button", class: "cz-button" }, "Take this picture as a photo");
const given = h("input", {
  type: "file", class: "cz-give", accept: "image/*,.avif,.tif,.tiff,.webp",
  "aria-label": "Choose this picture in colour",
  onchange: () => (add(given.files[0]), (given.value = "")),
});
const list = h("ul", { class: "cz-film-stills" });
const again = h("button", { type: "button", class: "cz-button cz-main" }, "Colour it again");
const wrong = h("p", { class: "cz-error", role: "alert", hidden: true });

let stills = []; // {time, name, path}
let turn = 0; // of the film: a picture that is late for it is dropped

/** The controls, folded away. */
export const options = h("details", { class: "cz-film-options" },
  h("summary", {}, "Only a part, or colours by hand"),
  h("form", { onsubmit: (event) => event.preventDefault() },
    h("div", { class: "cz-film-row" }, from.parentElement, to.parentElement),
    h("p", {}, "A picture of the film that you coloured holds for the whole shot: "
      + "take one, fix its colours among the photos, download it, and give it back here."),
    h("div", { class: "cz-film-row" }, at.parentElement, take,
      h("label", { class: "cz-button" }, given, "Give it back in colour")),
    list, wrong, again));

/** Calls `takes` with the time of the picture that is wanted, in text, and `begins` to colour anew. */
export function onOptions({ takes, begins }) {
  take.addEventListener("click", () => takes(at.value.trim() || "0"));
  again.addEventListener("click", () => check() && begins());
}

/** What the app is to be told. */
export const asked = () => ({
  start: from.value.trim(),
  end: to.value.trim(),
  stills: stills.map(({ time, path }) => ({ time, path })),
});

/** What tells the options, for a reload. */
export const optionsToKeep = () => ({ from: from.value, to: to.value, stills });

/** Sets them as an earlier visit left them. */
export function bringBackOptions(kept) {
  [from.value, to.value, stills] = [kept.from, kept.to, kept.stills];
  options.open = Boolean(from.value || to.value || stills.length);
  drawStills();
}

/** The time that is watched, in seconds. */
export function watched(seconds) {
  if (document.activeElement !== at) at.value = text(seconds);
}

/** Forgets all of it, for another film. */
export function resetOptions() {
  turn += 1;
  stills = [];
  for (const field of [from, to, at]) field.value = "";
  options.open = false;
  drawStills();
}

function time(name, hint) {
  const field = h("input", {
    type: "text", class: "cz-time", placeholder: hint, autocomplete: "off",
    title: "Seconds, or minutes and seconds as 1:23",
  });
  h("label", {}, `${name} `, field);
  return field;
}

const text = (seconds) => `${Math.floor(seconds / 60)}:${
  String(Math.floor(seconds * 1000) % 60000 / 1000).padStart(2, "0").replace(/^(\d)\./, "0$1.")}`;

async function add(file) {
  if (!file) return;
  const time = at.value.trim() || "0", mine = turn;
  try {
    const { path } = await app.upload(file);
    if (mine !== turn) return;
    stills = [...stills.filter((one) => one.time !== time), { time, name: file.name, path }];
    drawStills();
  } catch {
    if (mine === turn) say(`${file.name} could not be sent. Choose it again.`);
  }
}

function drawStills() {
  list.replaceChildren(...stills.map((one) => h("li", {}, `${one.time} · ${one.name} `,
    h("button", {
      type: "button", class: "cz-button cz-quiet", "aria-label": `Leave out the picture at ${one.time}`,
      onclick: () => ((stills = stills.filter((other) => other !== one)), drawStills()),
    }, "Leave out"))));
  show(list, stills.length > 0);
  say("");
}

function check() {
  const bad = [from, to].find((field) => !/^\s*(((\d+:)?\d+:)?\d+(\.\d+)?)?\s*$/.test(field.value));
  say(bad ? "Write a time as seconds, or as 1:23." : "");
  bad?.focus();
  return !bad;
}

function say(sentence) {
  wrong.textContent = sentence;
  show(wrong, Boolean(sentence));
}
