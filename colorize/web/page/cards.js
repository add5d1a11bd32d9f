// A card a model, the original of a colour upload, and two models in one slider.

import { h, show } from "./dom.js";
import { fetchFile } from "./files/downloads.js";
import { makeLayer, updateLayer } from "./fix/layer.js";
import { leave } from "./fix/panel.js";
import { address, coloursOf, load, ofFiles, ofModel, side, unload } from "./pictures.js";
import { makeOutline } from "./look/scans.js";
import { frame, makeSlider, sweep } from "./view/slider.js";
import { change, currentPhoto, doneOf, idOf, look, models, view } from "./state.js";
import { openLightbox } from "./view/lightbox.js";

const cards = new Map(); // by model, reused from photo to photo

/** The card of a model, by its name. */
export function cardOf(name) {
  if (!cards.has(name)) cards.set(name, makeCard(models.get(name)));
  return cards.get(name);
}

/** Whether two models share one slider: asked for, and there are two. */
export const compares = (photo) => view.compare && doneOf(photo).length > 1;

/** The model that follows most of the settings, of those that are done; its name. */
export function adjustedModel(photo) {
  const done = doneOf(photo);
  return done.find((name) => models.get(name).overBins) ?? done[0];
}

/** The slider of its picture. */
export const adjustedSlider = (photo) =>
  compares(photo) ? pair.slider : cards.get(adjustedModel(photo))?.slider;

function makeCard(model) {
  const slider = makeSlider();
  const bar = h("progress", { class: "cz-bar" });
  const wait = h("div", { class: "cz-wait" }, bar, h("span"));
  const outline = makeOutline();
  slider.box.append(outline.node, wait);
  const time = h("span", { class: "cz-time" });
  const figures = h("dl", { class: "cz-figures", hidden: true });
  const error = h("p", { class: "cz-error", role: "alert", hidden: true });
  const download = h("a", { class: "cz-button cz-download", download: "", onclick: fetchFile },
    "Download");
  const layer = makeLayer(slider, model, leave);
  const closer = h("button", { type: "button", class: "cz-button cz-closer", onclick: () => {
    const photo = currentPhoto();
    openLightbox(node, photo, model, photo.isToned && view.scan);
  } }, "Full size");
  const actions = h("div", { class: "cz-actions" }, download, closer);
  const node = h("article", { class: "cz-card", "data-model": model.name },
    h("header", {}, h("h3", {}, model.title), time), slider.box, error, actions,
    figures);
  return { node, slider, wait, time, figures, error, download, layer, outline, photo: null };
}

/** Shows in a model's card what it made of the photo: {model, state, seconds or error}. */
export function updateCard(card, photo, result) {
  const { slider } = card;
  const model = models.get(result.model);
  const done = result.state === "done";
  if (card.photo !== idOf(photo)) {
    for (const image of [slider.left, slider.right, slider.unsure]) unload(image);
    card.photo = idOf(photo);
    card.measured = null;
  }
  frame(slider.box, photo);
  card.outline.update(photo);
  const untouched = photo.isToned && view.scan;
  slider.leftTag.textContent = untouched ? "Scan" : "Grey";
  slider.rightTag.textContent = "Colour";
  slider.left.alt = untouched ? `${photo.name} as it came` : `${photo.name} in grey`;
  slider.right.alt = `${photo.name}, colorized by ${model.title}`;
  slider.range.setAttribute("aria-label",
    `${photo.name}: ${untouched ? "scan" : "grey"} and colorized by ${model.title}`);
  slider.place();
  slider.box.classList.toggle("cz-undone", !done);
  card.node.dataset.state = result.state;
  card.download.classList.toggle("cz-main", model.name === adjustedModel(photo));
  show(card.error, result.state === "failed");
  card.error.textContent = result.error ?? "";
  show(card.wait, ["working", "waiting", "stopped"].includes(result.state));
  const [bar, words] = card.wait.children;
  if (result.state === "working") bar.removeAttribute("value");
  else bar.value = 0;
  show(bar, result.state !== "stopped");
  const said = { working: "Colorizing…", waiting: "Waiting…", stopped: "Not done" };
  words.textContent = said[result.state] ?? "";
  bar.setAttribute("aria-label", `${model.title}: ${words.textContent}`);
  card.time.textContent = done ? `${Number(result.seconds.toPrecision(2))} s` : "";
  card.time.title = done ? "Time that the model took" : "";
  const left = `${photo.number}/${untouched ? "original" : "grey"}`;
  load(slider.left, address(left, { size: null, side: side(slider.box, photo) }));
  updateLayer(card.layer, photo, view.fixing && model.name === adjustedModel(photo));
  if (done) updateColours(card, photo, model);
  else show(slider.unsure, false);
}

function updateColours(card, photo, model) {
  const { slider } = card;
  const own = coloursOf(photo, model);
  const longest = view.moving ? Math.min(800, side(slider.box, photo)) : side(slider.box, photo);
  const url = address(ofModel(photo, model.name, "colour"), { ...own, side: longest });
  load(slider.right, url, () => sweep(idOf(photo)));
  const unsure = look.unsure && model.overBins;
  show(slider.unsure, unsure);
  if (unsure) {
    const { strokes, reference, trust } = own;
    load(slider.unsure,
      address(ofModel(photo, model.name, "uncertainty"), { strokes, reference, trust }));
  }
  const [width, height] = photo.size;
  card.download.href = address(ofModel(photo, model.name, "file"), { ...own, ...ofFiles() });
  card.download.title = `${width} × ${height} pixels`;
  card.download.setAttribute("aria-label", `Download ${photo.name}, colorized by ${model.title}`);
  show(card.figures, photo.hasColours);
  if (photo.hasColours && !view.moving) {
    updateFigures(card, address(ofModel(photo, model.name, "figures"), own));
  }
}

async function updateFigures(card, url) {
  if (card.measured === url) return;
  if (!card.measured) drawFigures(card, {}); // so that nothing moves when they come
  card.measured = url;
  const answer = await fetch(url).catch(() => null);
  if (!answer?.ok || card.measured !== url) return;
  drawFigures(card, await answer.json());
}

const COLORFUL = "How colourful the picture is (Hasler and Süsstrunk): 0 is grey";

function drawFigures(card, { psnr, ciede2000, colorfulness }) {
  card.figures.replaceChildren(
    figure("PSNR", psnr === null ? "equal" : `${psnr?.toFixed(1) ?? "–"} dB`,
      "Peak signal-to-noise ratio against the original: higher is closer"),
    figure("CIEDE2000", ciede2000?.toFixed(1) ?? "–",
      "Mean colour difference from the original: lower is closer"),
    figure("Colorfulness", colorfulness?.toFixed(0) ?? "–", COLORFUL));
}

function figure(name, value, meaning) {
  return h("div", { title: meaning }, h("dt", {}, name), h("dd", {}, value));
}

/** The original of a colour upload: a card of its own. */
export const original = (() => {
  const image = h("img");
  const box = h("div", { class: "cz-slider cz-still" }, image);
  const figures = h("dl", { class: "cz-figures" });
  const node = h("article", { class: "cz-card cz-original" },
    h("header", {}, h("h3", {}, "Original")), box, figures);
  return { node, image, box, figures, photo: null };
})();

/** Shows the original of this photo. */
export function updateOriginal(photo) {
  frame(original.box, photo);
  original.image.alt = `${photo.name}, the original`;
  if (original.photo !== idOf(photo)) unload(original.image);
  original.photo = idOf(photo);
  load(original.image,
    address(`${photo.number}/original`, { size: null, side: side(original.box, photo) }));
  original.figures.replaceChildren(
    figure("Colorfulness", photo.colorfulness.toFixed(0), COLORFUL));
}

/** Two models in one slider. */
export const pair = (() => {
  const slider = makeSlider();
  const choose = (name) => h("select", {
    class: "cz-select",
    "aria-label": name === "left" ? "Model on the left" : "Model on the right",
    onchange: (event) => ((view[name] = event.target.value), change()),
  });
  const left = choose("left"), right = choose("right");
  const node = h("article", { class: "cz-card cz-pair" },
    h("header", {}, left, right), slider.box);
  return { node, slider, left, right, photo: null };
})();

/** Shows what two of the models that are done made of the photo. */
export function updatePair(photo) {
  const { slider } = pair, done = doneOf(photo);
  if (!done.includes(view.left)) view.left = done[0];
  if (!done.includes(view.right) || view.right === view.left) {
    view.right = done.find((name) => name !== view.left);
  }
  for (const [name, select] of [["left", pair.left], ["right", pair.right]]) {
    select.replaceChildren(...done.map((model) =>
      h("option", { value: model, selected: model === view[name] }, models.get(model).title)));
    select.value = view[name];
  }
  if (pair.photo !== idOf(photo)) for (const image of [slider.left, slider.right]) unload(image);
  pair.photo = idOf(photo);
  frame(slider.box, photo);
  for (const name of ["left", "right"]) {
    const model = models.get(view[name]);
    slider[`${name}Tag`].textContent = model.title;
    slider[name].alt = `${photo.name}, colorized by ${model.title}`;
    const own = coloursOf(photo, model);
    const longest = view.moving ? 800 : side(slider.box, photo);
    load(slider[name], address(ofModel(photo, model.name, "colour"), { ...own, side: longest }));
  }
  const both = `${slider.leftTag.textContent} and ${slider.rightTag.textContent}`;
  slider.range.setAttribute("aria-label", `${photo.name}: ${both}`);
  slider.place();
}
