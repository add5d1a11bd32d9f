// Colours from another photo: where it is dropped, both photos side by side, and from where in the
// other one a place has its colour.

import { h, show, touched } from "../dom.js";
import { address, coloursOf, load, ofModel, unload, unreachable } from "../pictures.js";
import {
  adjustLook, app, change, currentPhoto, follow, idOf, lookOf, state, view,
} from "../state.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 0.05; // of a photo's side, by the arrow keys
const SVG = "http://www.w3.org/2000/svg";
const SURE = 0.5; // from which on a colour is the other photo's
const PARTLY = 0.15;

const input = h("input", {
  type: "file", class: "cz-file", accept: "image/*,.avif,.heic,.heif,.tif,.tiff,.bmp,.webp",
  "aria-label": "Take the colours from another photo: choose one in colour",
  onchange: () => (take(input.files[0]), (input.value = "")),
});
const invitation = h("span", {});
const drop = h("label", { class: "cz-reference-drop" }, input, invitation);
const problem = h("p", { class: "cz-error", role: "alert", hidden: true });

const [mine, theirs] = [0, 1].map(() => h("img", { draggable: "false" }));
const spot = h("div", {
  class: "cz-source-of", tabindex: 0, role: "img", "aria-describedby": "cz-source-words",
  onpointermove: (event) => point(shareOf(event)), onpointerdown: (event) => point(shareOf(event)),
  onpointerleave: () => document.activeElement !== spot && point(null),
  onblur: () => point(null), onfocus: () => point(at ?? [0.5, 0.5]),
  onkeydown: (event) => {
    const step = KEYS[event.key];
    if (!step) return;
    event.preventDefault();
    point((at ?? [0.5, 0.5]).map((share, axis) => share + STEP * step[axis]));
  },
}, mine);
const other = h("div", {}, theirs);
const drawing = document.createElementNS(SVG, "svg");
drawing.setAttribute("aria-hidden", "true");
const [shade, line, from, to] = ["line", "line", "circle", "circle"].map((name) =>
  drawing.appendChild(document.createElementNS(SVG, name)));
shade.setAttribute("class", "cz-shade");
for (const circle of [from, to]) circle.setAttribute("r", 5);
const both = h("div", { class: "cz-sources" }, spot, other);
both.append(drawing);
const words = h("p", { id: "cz-source-words", class: "cz-fix-words", role: "status" });
const strength = h("input", {
  type: "range", min: 5, max: 100, step: 5, "aria-label": "Strength of the other photo's colours",
  oninput: () => {
    const share = strength.value / 100;
    adjustLook(currentPhoto(), { trust: share === 1 ? null : share });
    follow();
  },
});
const without = h("button", { type: "button", class: "cz-button", onclick: () => {
  adjustLook(currentPhoto(), { reference: null, trust: null });
  follow();
  input.focus();
} }, "Remove");
const settings = h("div", { class: "cz-row" },
  h("label", { class: "cz-strength" }, "Strength", strength), without);

/** All of it. */
export const reference = h("div", {
  class: "cz-reference", role: "group", "aria-label": "Colours from another photo",
}, drop, problem, both, words, settings);

let sending = ""; // the name of a file on its way
let fault = "";
let at = null; // the place that is looked at, shares of the photo
let asked = null; // the address of `sources`
let sources = null; // {sure, x, y}: rows, of the reference
let shown = null; // the photo

/** model: the one whose colours are shown. */
export function drawReference(photo, model) {
  if (shown !== idOf(photo)) {
    shown = idOf(photo);
    fault = "";
    at = null;
    for (const image of [mine, theirs]) unload(image);
  }
  const own = lookOf(photo), has = own.reference !== null;
  const invited = has ? "Choose another photo instead"
    : `Take the colours from another photo${touched ? "" : ": drop it here"}`;
  invitation.textContent = sending ? `Sending ${sending}…` : invited;
  show(problem, fault);
  problem.textContent = fault;
  for (const part of [both, words, settings]) show(part, has);
  if (!has) return forget();
  strength.value = Math.round(100 * (own.trust ?? 1));
  mine.alt = "";
  theirs.alt = "The photo that colours are taken from";
  spot.setAttribute("aria-label",
    `${photo.name}. Arrow keys go over it and tell where its colours are from`);
  const colours = coloursOf(photo, model);
  load(mine, address(ofModel(photo, model.name, "colour"), { ...colours, side: 800 }), drawLine);
  load(theirs, address(`reference/${own.reference}`, { size: null, side: 800 }), drawLine);
  if (!view.moving) askForSources(photo, model);
  drawLine();
}

function forget() {
  asked = sources = at = null;
  for (const image of [mine, theirs]) unload(image);
}

async function take(file) {
  const photo = currentPhoto(), { key } = state;
  if (!file || !photo || sending) return;
  fault = file.size > app.props.most_bytes
    ? `${file.name} is larger than ${Math.floor(app.props.most_bytes / 2 ** 20)} MB. Save it `
      + "smaller, then choose it again." : "";
  if (fault) return change();
  sending = file.name;
  change();
  try {
    const { path } = await app.upload(file);
    const answer = await fetch(`gradio_api/colorize/${key}/reference`, {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ path }),
    });
    const found = await answer.json();
    if (!answer.ok) fault = found.error;
    else if (state.key === key) adjustLook(photo, { reference: found.number, trust: null });
  } catch {
    fault = unreachable;
  }
  sending = "";
  follow();
}

async function askForSources(photo, model) {
  const { reference: number } = lookOf(photo);
  const url = address(ofModel(photo, model.name, "sources"), { reference: number });
  if (asked === url) return;
  [asked, sources] = [url, null];
  const answer = await fetch(url).catch(() => null);
  const found = answer?.ok ? await answer.json().catch(() => null) : null;
  if (asked !== url) return;
  sources = found;
  if (!found) asked = null;
  drawLine();
}

function shareOf(event) {
  const { left, top, width, height } = mine.getBoundingClientRect();
  return [(event.clientX - left) / width, (event.clientY - top) / height];
}

function point(share) {
  at = share && share.map((one) => Math.min(1, Math.max(0, one)));
  drawLine();
}

// The line from the place that is looked at to where its colours are from.
function drawLine() {
  const found = at && sources && sourceOf(at);
  drawing.toggleAttribute("hidden", !found || found.sure < PARTLY);
  words.textContent = told(found);
  if (!found) return;
  const frame = both.getBoundingClientRect();
  const ends = [[mine, at], [theirs, found.at]].map(([image, [x, y]]) => {
    const { left, top, width, height } = image.getBoundingClientRect();
    return [left - frame.left + x * width, top - frame.top + y * height];
  });
  for (const one of [shade, line]) {
    ends.forEach(([x, y], end) => {
      one.setAttribute(`x${end + 1}`, x);
      one.setAttribute(`y${end + 1}`, y);
    });
  }
  [from, to].forEach((circle, end) => {
    circle.setAttribute("cx", ends[end][0]);
    circle.setAttribute("cy", ends[end][1]);
  });
  drawing.style.opacity = found.sure < SURE ? 0.55 : 1;
}

function sourceOf([x, y]) {
  const { sure } = sources, row = Math.min(sure.length - 1, Math.floor(y * sure.length));
  const column = Math.min(sure[0].length - 1, Math.floor(x * sure[0].length));
  return { sure: sure[row][column], at: [sources.x[row][column], sources.y[row][column]] };
}

function told(found) {
  if (!sources) return "Looking for what both photos show…";
  const press = touched ? "Touch" : "Point at";
  if (!found) return `${press} the left photo: a line shows where its colours are from.`;
  const [x, y] = found.at.map((share) => Math.round(100 * share));
  const place = `${x}% across, ${y}% down the other photo`;
  return found.sure >= SURE ? `These colours are from ${place}.`
    : found.sure >= PARTLY ? `These colours are partly from ${place}.`
      : "Nothing there is surely the same: these colours are the model's own.";
}

for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  drop.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // else the whole page takes it, as one more photo
    event.stopPropagation();
    document.querySelector(".cz-veil").hidden = true;
    drop.classList.toggle("cz-over", kind.startsWith("dragenter") || kind === "dragover");
    if (kind === "drop") take(event.dataTransfer.files[0]);
  });
}
