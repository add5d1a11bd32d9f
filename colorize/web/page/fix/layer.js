// What lies over a card's picture while colours are fixed: pins, what is painted, and the outline
// of what a click would change.

import { h, show } from "../dom.js";
import { address, ofModel, referenceOf, written } from "../pictures.js";
import { change, chosenStrokes, currentPhoto, idOf, strokesOf, view } from "../state.js";
import {
  addStroke, inPhoto, keepsColours, moved, removeStroke, replaceStroke, simplified,
} from "./strokes.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SVG = "http://www.w3.org/2000/svg";
const FAR = 5; // pixels of the screen from which on a click is a line that is painted
const BRUSH = 0.012; // of a photo's long side: the radius of what is painted
const PAUSE = 90; // milliseconds for which the pointer rests before an outline is asked for
const TRIED = "#888888"; // an outline is the same for every colour

/** Over the pictures of a slider. leave(): the visitor wants out, as by Escape. */
export function makeLayer(slider, model, leave) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("aria-hidden", "true");
  const [shade, outline, trace] = ["cz-shade", "cz-outline", "cz-trace"].map((name) => {
    const path = document.createElementNS(SVG, name === "cz-trace" ? "polyline" : "path");
    path.setAttribute("class", name);
    drawing.append(path);
    return path;
  });
  const pins = h("div", { class: "cz-pin-layer" });
  const node = h("div", { class: "cz-pins", hidden: true }, pins);
  node.prepend(drawing);
  slider.box.append(node);
  const layer = {
    node, pins, drawing, shade, outline, trace, slider, model, leave, photo: null, painting: null,
    wanted: "", asking: false, timer: 0,
  };
  node.onpointerdown = (event) => begin(layer, event);
  node.onpointermove = (event) => go(layer, event);
  node.onpointerup = () => end(layer);
  node.onpointercancel = () => stop(layer);
  node.onpointerleave = () => !layer.painting && wantOwn(layer);
  return layer;
}

/** Shows the strokes of a photo, if `active`. */
export function updateLayer(layer, photo, active) {
  const isNew = layer.photo !== idOf(photo);
  layer.photo = idOf(photo);
  show(layer.node, active);
  layer.slider.box.classList.toggle("cz-fixing", active);
  if (!active || isNew) ask(layer, null);
  if (!active) return;
  const { list } = strokesOf(photo), [width, height] = photo.size;
  layer.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  while (layer.pins.children.length > list.length) layer.pins.lastChild.remove();
  list.forEach((stroke, index) => drawPin(layer, photo, stroke, index));
  if (!layer.painting) wantOwn(layer);
}

/** The pin of a stroke, where one is at hand. */
export const pinOf = (layer, stroke) =>
  [...layer.pins.children].find((pin) => pin.stroke === stroke);

function drawPin(layer, photo, stroke, index) {
  const pin = layer.pins.children[index] ?? layer.pins.appendChild(makePin(layer));
  pin.stroke = stroke;
  const keeps = keepsColours(stroke);
  pin.style.setProperty("--colour", keeps ? "transparent" : stroke.colour ?? "transparent");
  pin.classList.toggle("cz-open", !stroke.colour);
  pin.classList.toggle("cz-keeps", keeps);
  pin.setAttribute("aria-current", stroke === view.stroke);
  const [x, y] = stroke.points[0];
  const at = [x / photo.size[0], y / photo.size[1]].map((share) => Math.round(100 * share));
  const what = keeps ? "keeps its colour" : stroke.colour ?? "no colour yet";
  pin.setAttribute("aria-label", `Hint ${index + 1}: ${what}, ${at[0]}% across, ${at[1]}% down. `
    + "Arrow keys move it, Delete removes it");
  place(layer, pin, photo, [x, y]);
}

// Where the picture lies in its frame: a strip of a photo does not fill it.
function pictureIn(layer, photo) {
  const { width, height } = layer.node.getBoundingClientRect();
  const scale = Math.min(width / photo.size[0], height / photo.size[1]);
  const [across, down] = photo.size.map((side) => side * scale);
  return { scale, left: (width - across) / 2, top: (height - down) / 2, width, height };
}

function spotAt(layer, photo, event) {
  const frame = layer.node.getBoundingClientRect();
  const { scale, left, top } = pictureIn(layer, photo);
  return [event.clientX - frame.left - left, event.clientY - frame.top - top].map(
    (at) => at / scale - 0.5);
}

function place(layer, pin, photo, [x, y]) {
  const { scale, left, top, width, height } = pictureIn(layer, photo);
  pin.style.left = `${((left + (x + 0.5) * scale) / width) * 100}%`;
  pin.style.top = `${((top + (y + 0.5) * scale) / height) * 100}%`;
}

// Painting: a click is a point, what goes farther a line.
function begin(layer, event) {
  event.stopPropagation(); // the slider would follow it
  if (event.button || event.target.closest(".cz-pin")) return;
  event.preventDefault();
  layer.node.setPointerCapture(event.pointerId);
  const photo = currentPhoto();
  layer.painting = {
    photo, from: [event.clientX, event.clientY], isLine: false, keeps: event.altKey,
    points: [inPhoto(photo, spotAt(layer, photo, event))],
    radius: Math.max(1, Math.round(BRUSH * Math.max(...photo.size))),
  };
}

function go(layer, event) {
  const photo = currentPhoto(), { painting } = layer;
  const spot = inPhoto(photo, spotAt(layer, photo, event));
  if (!painting) {
    if (event.pointerType === "touch" || event.target.closest(".cz-pin")) return;
    return wantSoon(layer, [tried([spot], 0), ...others(photo)]);
  }
  const { from, points, radius } = painting;
  painting.isLine ||= Math.hypot(event.clientX - from[0], event.clientY - from[1]) > FAR;
  if (!painting.isLine) return;
  const last = points.at(-1);
  if (Math.hypot(spot[0] - last[0], spot[1] - last[1]) >= radius / 2) points.push(spot);
  layer.trace.setAttribute("points", points.map((point) => point.join()).join(" "));
  layer.trace.setAttribute("stroke-width", 2 * radius);
  layer.trace.classList.toggle("cz-keeps", painting.keeps);
  if (!painting.keeps) {
    const own = tried(simplified(points, radius / 2), radius);
    wantSoon(layer, [own, ...open(photo), ...others(photo)]);
  }
}

function end(layer) {
  const { painting } = layer;
  if (!painting) return;
  stop(layer);
  const { photo, points, radius, isLine, keeps } = painting;
  if (isLine) addStroke(photo, simplified(points, radius / 2), radius, keeps);
  else addStroke(photo, points, 0, keeps);
  pinOf(layer, view.stroke)?.focus({ preventScroll: true, focusVisible: false });
}

function stop(layer) {
  layer.painting = null;
  layer.trace.setAttribute("points", "");
}

// Outlines: of what the pointer is over, else of the stroke at hand.
const tried = (points, radius) => ({ points, radius, colour: TRIED, strength: 1 });

const open = (photo) => strokesOf(photo).list.filter((stroke) => !stroke.colour).map(
  ({ points, radius }) => tried(points, radius));

// What others have coloured is not taken from them.
const others = (photo) => chosenStrokes(photo).filter((stroke) => stroke !== view.stroke).map(
  ({ points, radius }) => ({ ...tried(points, radius), strength: 0 }));

function wantSoon(layer, strokes) {
  clearTimeout(layer.timer);
  layer.timer = setTimeout(() => !layer.node.hidden && ask(layer, strokes), PAUSE);
}

function wantOwn(layer) {
  clearTimeout(layer.timer);
  const photo = currentPhoto(), { stroke } = view;
  if (!photo || !stroke || keepsColours(stroke)) return ask(layer, null);
  const own = stroke.colour ? [tried(stroke.points, stroke.radius)] : open(photo);
  ask(layer, [...own, ...others(photo)]);
}

// One request at a time; while it is under way only the newest wish is kept.
function ask(layer, strokes) {
  const photo = currentPhoto();
  layer.wanted = strokes && photo
    ? address(ofModel(photo, layer.model.name, "outline"),
      { strokes: written(strokes), ...referenceOf(photo) }) : "";
  if (!layer.wanted) return draw(layer, "");
  if (!layer.asking) fetchNext(layer);
}

async function fetchNext(layer) {
  const url = layer.wanted;
  if (layer.drawn === url) return;
  layer.asking = true;
  const answer = await fetch(url).catch(() => null);
  const found = answer?.ok ? await answer.json().catch(() => null) : null;
  layer.asking = false;
  if (layer.wanted && found) draw(layer, found.path, url);
  if (layer.wanted && layer.wanted !== url) fetchNext(layer);
}

function draw(layer, path, url = null) {
  layer.drawn = url;
  for (const part of [layer.shade, layer.outline]) part.setAttribute("d", path);
}

// Pins: one a stroke, at its first point; it is what is moved, deleted and spoken of.
function makePin(layer) {
  const pin = h("button", { type: "button", class: "cz-pin" });
  let held = null;
  pin.onfocus = () => {
    if (view.stroke === pin.stroke) return;
    view.stroke = pin.stroke;
    change();
  };
  pin.onpointerdown = (event) => {
    if (event.button) return;
    pin.setPointerCapture(event.pointerId);
    held = { from: [event.clientX, event.clientY], to: null };
    pin.focus({ preventScroll: true, focusVisible: false });
  };
  pin.onpointermove = (event) => {
    if (!held) return;
    const far = Math.hypot(event.clientX - held.from[0], event.clientY - held.from[1]);
    if (!held.to && far < FAR) return;
    const photo = currentPhoto();
    held.to = inPhoto(photo, spotAt(layer, photo, event));
    place(layer, pin, photo, held.to);
  };
  pin.onpointerup = () => {
    const to = held?.to;
    held = null;
    if (!to) return;
    const [x, y] = pin.stroke.points[0];
    move(pin.stroke, [to[0] - x, to[1] - y]);
  };
  pin.onpointercancel = () => ((held = null), change());
  pin.onkeydown = (event) => {
    const step = KEYS[event.key], photo = currentPhoto();
    if (step) {
      const far = Math.max(1, Math.round(Math.max(...photo.size) / (event.shiftKey ? 20 : 100)));
      move(pin.stroke, step.map((at) => at * far), `keys ${pin.stroke.colour}`);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      removeStroke(photo, pin.stroke);
      (layer.pins.lastElementChild ?? layer.leave.next()).focus();
    } else if (event.key === "Escape") layer.leave();
    else return;
    event.preventDefault();
  };
  return pin;
}

function move(stroke, by, what = null) {
  const photo = currentPhoto();
  replaceStroke(photo, stroke, { points: moved(photo, stroke, by) }, what);
}
