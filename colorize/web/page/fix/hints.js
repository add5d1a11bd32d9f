// Colour hints: a click on the photo, a colour for that spot, and the models that can follow it.

import { h, show, touched } from "../dom.js";
import { address, ofModel } from "../pictures.js";
import {
  app, change, chosenHints, complain, currentPhoto, follow, hintsOf, isOpen, view,
} from "../state.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// A new list of hints. What is done again and again to one hint, as in a colour picker, is one
// step to undo.
function replaceAll(photo, list, what = null) {
  const of = hintsOf(photo);
  if (!what || of.last !== what) of.past.push(of.list.filter((hint) => hint.colour));
  of.last = what;
  of.list = list;
  view.hint = list.includes(view.hint) ? view.hint : null;
  follow();
}

function undo(photo) {
  const of = hintsOf(photo);
  if (!of.past.length) return;
  of.list = of.past.pop();
  of.last = view.hint = null;
  say("Undone");
  follow();
}

function replaceHint(photo, hint, changes, what) {
  const after = { ...hint, ...changes };
  if (view.hint === hint) view.hint = after;
  replaceAll(photo, hintsOf(photo).list.map((other) => (other === hint ? after : other)), what);
}

function removeHint(photo, hint) {
  const list = hintsOf(photo).list.filter((other) => other !== hint);
  if (hint.colour) replaceAll(photo, list);
  else hintsOf(photo).list = list;
  view.hint = null;
  say("Hint removed");
  change();
}

function addHint(photo, x, y) {
  const of = hintsOf(photo);
  of.list = of.list.filter((hint) => hint.colour);
  const most = app.props.most_hints;
  if (of.list.length >= most) return complain(`${most} hints are the most.`);
  const [width, height] = photo.size;
  const inside = (at, length) => Math.min(Math.max(Math.floor(at), 0), length - 1);
  view.hint = { x: inside(x, width), y: inside(y, height), colour: null };
  of.list.push(view.hint);
  change();
}

/** Says to those who listen what became of a hint. */
export const hintStatus = h("p", { class: "cz-hidden", role: "status", "aria-live": "polite" });
const say = (words) => (hintStatus.textContent = words);

/**
 * What a model's card needs for hints: pins over its slider, a panel, and buttons
 * (`toggle`, `back`, `clear`). `updateHints` shows a photo's hints in it.
 */
export function makeHints(model, slider) {
  const toggle = h("button", { type: "button", class: "cz-button cz-hint-toggle" });
  const layer = h("div", { class: "cz-pins", hidden: true });
  const words = h("p", { class: "cz-hint-words" });
  const swatches = h("div",
    { class: "cz-swatches", role: "group", "aria-label": "Plausible colours here" });
  const picker = h("input", { type: "color" });
  const free = h("label", { class: "cz-button cz-free" }, picker, "Any colour");
  const bin = h("button", { type: "button", class: "cz-button" }, "Delete");
  const finish = h("button", { type: "button", class: "cz-button cz-quiet" }, "Done");
  const palette = h("div", { class: "cz-palette" }, swatches, free, bin, finish);
  const middle = h("button", { type: "button", class: "cz-button" }, "Add in the middle");
  const back = h("button",
    { type: "button", class: "cz-button", "aria-keyshortcuts": "Control+Z" }, "Undo");
  const clear = h("button", { type: "button", class: "cz-button cz-quiet" }, "Clear");
  const panel = h("div",
    { class: "cz-hints", hidden: true, role: "group", "aria-label": "Colour hints" },
    words, palette, middle);
  slider.box.append(layer);
  const part = {
    model, slider, toggle, layer, panel, words, palette, swatches, picker, middle, back, clear,
  };
  toggle.onclick = () => {
    view.hinting = view.hinting === model.name ? null : model.name;
    hintsOf(part.photo).list = chosenHints(part.photo);
    change();
    reveal(part);
  };
  layer.onpointerdown = (event) => event.stopPropagation(); // the slider would follow it
  layer.onclick = (event) => {
    if (event.target !== layer) return;
    addHint(part.photo, ...spotAt(part, event));
    pinOf(part, view.hint)?.focus({ preventScroll: true, focusVisible: false });
  };
  middle.onclick = () => {
    addHint(part.photo, part.photo.size[0] / 2, part.photo.size[1] / 2);
    pinOf(part, view.hint)?.focus();
  };
  back.onclick = () => undo(part.photo);
  clear.onclick = () => replaceAll(part.photo, []);
  bin.onclick = () => (removeHint(part.photo, view.hint), middle.focus());
  finish.onclick = () => leaveHint(part);
  picker.oninput = () => choose(part, picker.value, "picker");
  picker.onchange = () => (hintsOf(part.photo).last = null);
  panel.addEventListener("keydown", (event) => event.key === "Escape" && leaveHint(part));
  return part;
}

// Photo and colours are seen together, as far as the window has room for both.
function reveal({ panel, slider }) {
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const { top } = slider.box.getBoundingClientRect();
  const below = panel.getBoundingClientRect().bottom + 12 - window.innerHeight;
  if (!panel.hidden && below > 0) window.scrollBy({ top: Math.min(below, top - 8), behavior });
}

function choose(part, colour, how = null) {
  say(`Hint set to ${colour}`);
  replaceHint(part.photo, view.hint, { colour }, how && `${how} ${view.hint.x} ${view.hint.y}`);
}

// Escape: first the hint that was at hand, then the hints.
function leaveHint(part) {
  if (view.hint && !view.hint.colour) hintsOf(part.photo).list = chosenHints(part.photo);
  else if (view.hint) view.hint = null;
  else view.hinting = null;
  change();
  if (view.hinting) part.middle.focus();
  else part.toggle.focus();
}

// Where the picture lies in its frame: a strip of a photo does not fill it.
function pictureIn(part) {
  const { width, height } = part.layer.getBoundingClientRect();
  const scale = Math.min(width / part.photo.size[0], height / part.photo.size[1]);
  const [across, down] = part.photo.size.map((side) => side * scale);
  return { scale, left: (width - across) / 2, top: (height - down) / 2, width, height };
}

function spotAt(part, event) {
  const frame = part.layer.getBoundingClientRect();
  const { scale, left, top } = pictureIn(part);
  return [(event.clientX - frame.left - left) / scale, (event.clientY - frame.top - top) / scale];
}

const pinOf = (part, hint) => [...part.layer.children].find((pin) => pin.hint === hint);

function makePin(part) {
  const pin = h("button", { type: "button", class: "cz-pin" });
  let moved = null;
  pin.onfocus = () => {
    if (view.hint === pin.hint) return;
    view.hint = pin.hint;
    change();
  };
  pin.onpointerdown = (event) => {
    if (event.button) return;
    pin.setPointerCapture(event.pointerId);
    moved = { from: [event.clientX, event.clientY], to: null };
    pin.focus({ preventScroll: true, focusVisible: false });
  };
  pin.onpointermove = (event) => {
    if (!moved) return;
    const far = Math.hypot(event.clientX - moved.from[0], event.clientY - moved.from[1]);
    if (!moved.to && far < 4) return;
    moved.to = inPhoto(part.photo, ...spotAt(part, event));
    placePin(part, pin, ...moved.to);
  };
  pin.onpointerup = () => {
    const to = moved?.to;
    moved = null;
    if (to) moveHint(part, pin.hint, ...to);
  };
  pin.onpointercancel = () => ((moved = null), change());
  pin.onkeydown = (event) => {
    const step = KEYS[event.key];
    if (step) {
      const [width, height] = part.photo.size;
      const far = Math.max(1, Math.round(Math.max(width, height) / (event.shiftKey ? 20 : 100)));
      const to = inPhoto(part.photo, pin.hint.x + step[0] * far, pin.hint.y + step[1] * far);
      moveHint(part, pin.hint, ...to, "keys");
    } else if (event.key === "Delete" || event.key === "Backspace") {
      removeHint(part.photo, pin.hint);
      (part.layer.lastElementChild ?? part.middle).focus();
    } else if (event.key === "Escape") leaveHint(part);
    else return;
    event.preventDefault();
  };
  return pin;
}

const inPhoto = ({ size: [width, height] }, x, y) =>
  [[x, width], [y, height]].map(([at, length]) =>
    Math.round(Math.min(Math.max(at, 0), length - 1)));

function moveHint(part, hint, x, y, how = null) {
  if (hint.colour) replaceHint(part.photo, hint, { x, y }, how && `${how} ${hint.colour}`);
  else {
    Object.assign(hint, { x, y });
    change();
  }
}

function placePin(part, pin, x, y) {
  const { scale, left, top, width, height } = pictureIn(part);
  pin.style.left = `${((left + (x + 0.5) * scale) / width) * 100}%`;
  pin.style.top = `${((top + (y + 0.5) * scale) / height) * 100}%`;
}

/** done: the photo is colorized by this model, so that hints can be given. */
export function updateHints(part, photo, done) {
  part.photo = photo;
  const active = done && view.hinting === part.model.name;
  const { list, past } = hintsOf(photo);
  const count = chosenHints(photo).length;
  if (active && !list.includes(view.hint)) view.hint = null;
  part.toggle.textContent = count ? `Hints · ${count}` : "Colour hints";
  part.toggle.setAttribute("aria-label", `Colour hints for ${part.model.title}, ${count} given`);
  part.toggle.setAttribute("aria-pressed", active);
  show(part.layer, active);
  show(part.panel, active);
  part.slider.box.classList.toggle("cz-hinting", active);
  show(part.back, active && past.length);
  show(part.clear, active && count > 1);
  if (!active) return;
  while (part.layer.children.length > list.length) part.layer.lastChild.remove();
  list.forEach((hint, index) => {
    const pin = part.layer.children[index] ?? part.layer.appendChild(makePin(part));
    pin.hint = hint;
    pin.style.setProperty("--colour", hint.colour ?? "transparent");
    pin.classList.toggle("cz-open", !hint.colour);
    pin.setAttribute("aria-current", hint === view.hint);
    const shares = [hint.x / photo.size[0], hint.y / photo.size[1]];
    const at = shares.map((share) => Math.round(100 * share));
    pin.setAttribute("aria-label", `Hint ${index + 1}: ${hint.colour ?? "no colour yet"}, `
      + `${at[0]}% across, ${at[1]}% down. Arrow keys move it, Delete removes it`);
    placePin(part, pin, hint.x, hint.y);
  });
  show(part.palette, view.hint);
  show(part.middle, !view.hint);
  const press = touched ? "Tap" : "Click";
  part.words.textContent = view.hint
    ? "Choose the colour of this spot. Its lightness stays."
    : list.length ? `${press} another spot, or a hint to change, move or delete it.`
      : `${press} a spot in the photo, then choose its colour.`;
  if (view.hint) updateSwatches(part, photo);
}

async function updateSwatches(part, photo) {
  const { x, y, colour } = view.hint;
  part.picker.value = colour ?? part.picker.value;
  for (const swatch of part.swatches.children) {
    swatch.setAttribute("aria-pressed", swatch.dataset.colour === colour);
  }
  const url = address(ofModel(photo, part.model.name, "swatches"), { x, y });
  if (part.asked === url) return;
  part.asked = url;
  part.swatches.replaceChildren();
  const answer = await fetch(url).catch(() => null);
  if (part.asked !== url || !view.hint) return;
  if (!answer?.ok) return (part.asked = null);
  const plausible = await answer.json();
  if (part.asked !== url || !view.hint) return;
  if (!view.hint.colour) part.picker.value = plausible[0].colour;
  part.swatches.replaceChildren(...plausible.map(({ colour, name }) => h("button", {
    type: "button", class: "cz-swatch", style: `--colour: ${colour}`, "data-colour": colour,
    title: name, "aria-label": name, "aria-pressed": view.hint.colour === colour,
    onclick: () => choose(part, colour),
  })));
}

const WRITTEN_IN = "input:not([type=range], [type=color], [type=checkbox]), textarea";

document.addEventListener("keydown", (event) => {
  const isZ = event.key.toLowerCase() === "z" && !event.shiftKey;
  const undoes = isZ && (event.ctrlKey || event.metaKey);
  const photo = currentPhoto();
  if (!undoes || event.target.matches?.(WRITTEN_IN) || !photo || !isOpen()) return;
  if (!hintsOf(photo).past.length) return;
  event.preventDefault();
  undo(photo);
});
