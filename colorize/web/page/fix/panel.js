// The colours to choose from while colours are fixed, and what else is done to a stroke.

import { h, plural, show, touched } from "../dom.js";
import { address, ofModel, referenceOf } from "../pictures.js";
import {
  app, change, chosenStrokes, currentPhoto, follow, isOpen, strokesOf, view,
} from "../state.js";
import { PALETTES } from "./palettes.js";
import { drawReference, reference } from "./reference.js";
import {
  addStroke, dropOpen, keepsColours, paint, removeStroke, replaceAll, replaceStroke, say, undo,
} from "./strokes.js";

const HERE = "Suggested";

/** Opens and closes it all. */
export const toggle = h("button", {
  type: "button", class: "cz-button cz-fix-toggle", onclick: () => {
    view.fixing = !view.fixing;
    if (view.fixing) view.compare = view.sheet = false;
    dropOpen(currentPhoto());
    change();
    if (view.fixing) reveal();
  },
});

const words = h("p", { class: "cz-fix-words" });
const swatches = h("div", { class: "cz-swatches", role: "group", "aria-label": "Colours" });
const choices = [HERE, ...PALETTES.map(([name]) => name)].map((name) => h("button", {
  type: "button", class: "cz-chip", onclick: () => ((chosen = name), change()),
}, name));
const palettes = h("div", { class: "cz-palettes", role: "group", "aria-label": "Palettes" },
  ...choices);
const picker = h("input", {
  type: "color",
  oninput: () => paint(currentPhoto(), picker.value, `picker ${view.stroke?.points[0]}`),
  onchange: () => (strokesOf(currentPhoto()).last = null),
});
const free = h("label", { class: "cz-button cz-free" }, picker, "Any colour");
const strength = h("input", {
  type: "range", min: 5, max: 100, step: 5, "aria-label": "Strength",
  oninput: () => {
    const part = `strength ${view.stroke.points[0]}`;
    replaceStroke(currentPhoto(), view.stroke, { strength: strength.value / 100 }, part);
  },
  onchange: () => (strokesOf(currentPhoto()).last = null),
});
const strong = h("label", { class: "cz-strength" }, "Strength", strength);
const bin = h("button", { type: "button", class: "cz-button", onclick: () => {
  removeStroke(currentPhoto(), view.stroke);
  middle.focus();
} }, "Delete");
const keep = h("button", { type: "button", class: "cz-button", onclick: () => {
  const { points, radius } = view.stroke;
  removeStroke(currentPhoto(), view.stroke);
  addStroke(currentPhoto(), points, radius, true);
  middle.focus();
}, title: "What is like it here keeps its colour when something beside it is painted" },
"Keep as it is");
const middle = h("button", { type: "button", class: "cz-button", onclick: () => {
  const photo = currentPhoto();
  addStroke(photo, [[photo.size[0] / 2, photo.size[1] / 2]], 0);
  focusPin(view.stroke);
} }, "Add in the middle");
const back = h("button", {
  type: "button", class: "cz-button", "aria-keyshortcuts": "Control+Z",
  onclick: () => undo(currentPhoto()),
}, "Undo");
const clear = h("button", {
  type: "button", class: "cz-button cz-quiet", onclick: () => replaceAll(currentPhoto(), []),
}, "Clear");
const finish = h("button", {
  type: "button", class: "cz-button cz-quiet", onclick: () => leave(),
}, "Done");
const palette = h("div", { class: "cz-palette" }, palettes, swatches,
  h("div", { class: "cz-row" }, free, strong, keep, bin));

/** All of it. */
export const panel = h("div", {
  class: "cz-fix", hidden: true, role: "group", "aria-label": "Fix a colour",
  onkeydown: (event) => event.key === "Escape" && leave(),
}, words, palette, h("div", { class: "cz-row" }, middle, back, clear, finish), reference);

let chosen = HERE; // the palette
let focusPin = () => {};
let asked = null; // where suggestions are for, an address
let suggested = []; // [colour, name]

/** focus: gives a stroke's pin the focus. */
export const onNewPin = (focus) => (focusPin = focus);

/** Escape and Done: first the stroke that was at hand, then all of it. */
export function leave() {
  if (view.stroke) {
    dropOpen(currentPhoto());
    view.stroke = null;
  } else view.fixing = false;
  change();
  leave.next().focus();
}

/** Where the focus goes then. */
leave.next = () => (view.fixing ? middle : toggle);

/** model: the one whose suggestions are shown; null where nothing is colorized yet. */
export function drawPanel(photo, model) {
  if (!model) view.fixing = false;
  const active = view.fixing, { list, past } = strokesOf(photo);
  const count = chosenStrokes(photo).length;
  if (!list.includes(view.stroke)) view.stroke = null;
  show(toggle, model);
  toggle.textContent = count ? `Fix a colour · ${count}` : "Fix a colour";
  toggle.setAttribute("aria-label", `Fix a colour, ${plural(count, "place")} fixed`);
  toggle.setAttribute("aria-pressed", active);
  show(panel, active);
  if (!active) return;
  show(back, past.length);
  show(clear, count > 1);
  show(middle, !view.stroke);
  show(reference, !view.stroke);
  drawReference(photo, model);
  const colours = view.stroke && !keepsColours(view.stroke);
  show(palette, view.stroke);
  for (const part of [palettes, swatches, free, keep]) show(part, colours);
  show(strong, colours && view.stroke.colour);
  const press = touched ? "Tap" : "Click";
  words.textContent = view.stroke
    ? colours ? "Choose the colour of this thing. Its lightness stays." : "This keeps its colour."
    : `${press} a thing, or paint over it: all of it takes the colour that you choose.${
      touched ? "" : " With Alt it keeps the one it has."}`;
  if (!colours) return;
  strength.value = Math.round(100 * view.stroke.strength);
  for (const chip of choices) chip.setAttribute("aria-pressed", chip.textContent === chosen);
  drawSwatches();
  suggest(photo, model);
}

function drawSwatches() {
  const colours = PALETTES.find(([name]) => name === chosen)?.[1] ?? suggested;
  const same = colours.length === swatches.children.length
    && colours.every(([colour], place) => swatches.children[place].dataset.colour === colour);
  if (!same) {
    // Who has come to one by keyboard stays there when others come.
    const focused = document.activeElement, place = [...swatches.children].indexOf(focused);
    const focusVisible = focused.matches(":focus-visible");
    while (swatches.children.length > colours.length) swatches.lastChild.remove();
    while (swatches.children.length < colours.length) swatches.append(makeSwatch());
    colours.forEach(([colour, name], at) => fillSwatch(swatches.children[at], colour, name));
    if (place >= colours.length) swatches.lastChild?.focus({ preventScroll: true, focusVisible });
  }
  for (const swatch of swatches.children) {
    swatch.setAttribute("aria-pressed", swatch.dataset.colour === view.stroke.colour);
  }
  if (view.stroke.colour) picker.value = view.stroke.colour;
}

// Others may come while one is pressed: what was seen then is what was chosen.
function makeSwatch() {
  let pressed = null;
  const swatch = h("button", {
    type: "button", class: "cz-swatch",
    onpointerdown: () => (pressed = swatch.dataset.colour),
    onclick: ({ detail }) => {
      paint(currentPhoto(), (detail && pressed) || swatch.dataset.colour); // 0: by keyboard
      pressed = null;
    },
  });
  return swatch;
}

function fillSwatch(swatch, colour, name) {
  swatch.style.setProperty("--colour", colour);
  swatch.dataset.colour = colour;
  swatch.title = name;
  swatch.setAttribute("aria-label", name);
}

// What the model finds likely at the first point of the stroke.
async function suggest(photo, model) {
  const [x, y] = view.stroke.points[0];
  const url = address(ofModel(photo, model.name, "swatches"), { x, y, ...referenceOf(photo) });
  if (asked === url) return;
  asked = url;
  const answer = await fetch(url).catch(() => null);
  const found = answer?.ok ? await answer.json().catch(() => null) : null;
  if (asked !== url) return;
  if (!found) return void ([asked, suggested] = [null, []]);
  suggested = found.map(({ colour, name }) => [colour, name]);
  if (!view.stroke) return;
  if (!view.stroke.colour) picker.value = suggested[0][0];
  change();
}

// Photo and colours are seen together, as far as the window has room for both.
function reveal() {
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const below = panel.getBoundingClientRect().bottom + 12 - window.innerHeight;
  const grid = app.tab.querySelector(".cz-cards").getBoundingClientRect();
  const isSheet = getComputedStyle(panel).position === "fixed";
  const by = isSheet ? grid.top - 8 : Math.min(below, grid.top - 8);
  if (isSheet || by > 0) window.scrollBy({ top: by, behavior });
}

const WRITTEN_IN = "input:not([type=range], [type=color], [type=checkbox]), textarea";

document.addEventListener("keydown", (event) => {
  const isZ = event.key.toLowerCase() === "z" && !event.shiftKey;
  const undoes = isZ && (event.ctrlKey || event.metaKey);
  const photo = currentPhoto();
  if (!undoes || event.target.matches?.(WRITTEN_IN) || !photo || !isOpen()) return;
  if (!strokesOf(photo).past.length) return;
  event.preventDefault();
  undo(photo);
});
