// The addresses of pictures, and how they come into the page.

import { chosenStrokes, complain, look, lookOf, state, strokesOf } from "./state.js";

/** The address of what lies at `path` of this visitor; what is null in `extra` is left out. */
export function address(path, extra = {}) {
  const query = new URLSearchParams();
  const isCropped = state.photos.find(({ number }) => number === parseInt(path))?.isCropped;
  const all = { size: state.size, ...extra, cropped: isCropped ? 1 : null }; // else it is cached
  for (const [key, value] of Object.entries(all)) if (value != null) query.set(key, value);
  return placeOf(state.key, `${path}?${query}`);
}

/** The address of what lies at `path` of the visitor with this key. */
export const placeOf = (key, path) => `gradio_api/colorize/${key}/${path}`;

/** What the names of downloads and their format are, for `address`. */
export const ofFiles = () => ({ format: look.format, name: look.names || null });

/** The path of what a model makes of a photo: "colour", "uncertainty", "figures", "file". */
export const ofModel = (photo, model, what) =>
  `${photo.number}/${encodeURIComponent(model)}/${what}`;

/** The address of an example photo. */
export const exampleAddress = (number) => `gradio_api/colorize/example/${number}`;

/** The photo's settings of colours that a model follows, and its strokes: for `address`. */
export const coloursOf = (photo, model) => ({
  ...lookOf(photo),
  temperature: model.overBins ? lookOf(photo).temperature : null,
  strokes: strokesText(photo),
});

/** What a photo has of another one's colours: for `address`. */
export const referenceOf = (photo) => {
  const { reference, trust } = lookOf(photo);
  return { reference, trust };
};

const texts = new WeakMap();

/** The strokes of a photo as addresses have them. */
export function strokesText(photo) {
  const { list } = strokesOf(photo); // a new one after every change
  if (!texts.has(list)) texts.set(list, written(chosenStrokes(photo)));
  return texts.get(list);
}

/** Strokes as addresses have them, null where there are none. */
export const written = (strokes) => (strokes.length ? JSON.stringify(strokes.map(inFull)) : null);

// What it would be anyway is left out.
const inFull = ({ points, radius, colour, strength }) => ({
  points, color: colour, radius: radius || undefined, strength: strength === 1 ? undefined : strength,
});

/** How many pixels the longest side of a preview in `box` needs, in the steps that are kept. */
export function side(box, photo) {
  const [width, height] = photo.size;
  const shown = (box.clientWidth || 600) * Math.min(window.devicePixelRatio || 1, 2);
  const longest = shown * Math.max(1, height / width);
  return [400, 800, 1200].find((step) => longest <= step) ?? 1600;
}

/**
 * One request at a time a picture; while it is under way only the newest wish is kept. What is seen
 * stays until the next picture is there, also where that does not come. shown(): it is there.
 */
export function load(image, url, shown = () => {}) {
  if (image.wanted === url) return;
  image.wanted = url;
  image.shown = shown;
  if (!image.ahead) fetchNext(image);
}

function fetchNext(image) {
  const current = image.wanted, ahead = new Image();
  image.ahead = ahead;
  image.classList.add("cz-busy");
  const done = (isThere) => {
    if (image.ahead !== ahead) return; // it was unloaded meanwhile
    image.ahead = null;
    image.classList.remove("cz-busy");
    if (isThere) {
      image.src = current;
      image.classList.remove("cz-missing");
      image.classList.add("cz-loaded");
      image.shown();
    } else {
      image.classList.toggle("cz-missing", !image.classList.contains("cz-loaded"));
      explain(current);
    }
    if (image.wanted !== current) fetchNext(image);
  };
  ahead.onload = () => done(true);
  ahead.onerror = () => done(false);
  ahead.src = current;
}

/** Empties an `<img>`, so that nothing of another photo is seen in it. */
export function unload(image) {
  image.wanted = null;
  image.ahead = null;
  image.classList.remove("cz-loaded", "cz-missing", "cz-busy");
  image.removeAttribute("src");
}

/** The sentence for an app that is gone. */
export const unreachable =
  "The app does not answer. Check the connection, then load the page again.";

/** Why a picture did not come, asked of the app. */
async function explain(url) {
  if (url.startsWith("blob:")) return; // of this page, not of the app
  const answer = await fetch(url).catch(() => null);
  if (answer?.ok) return;
  const body = await answer?.json().catch(() => null);
  complain(body?.error ?? unreachable);
}
