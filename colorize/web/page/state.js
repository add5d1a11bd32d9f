// What the page knows, and the one way to have it drawn anew.

/** By name: {name, title, summary, overBins, temperature, takesHints}. */
export const models = new Map();

/** What the tab is part of: {element, tab, props, trigger, upload}, as Gradio gave it. */
export const app = {};

/** What the app told last: `Session.state()` of colorize/web/session.py, of all photos. */
export const state = { photos: [], models: [], progress: null, waiting: 0 };

/** What the visitor wants of all photos. */
export const look = { unsure: false, format: "keep", names: "" };

/** What of it is seen, and what only this page knows. */
export const view = {
  photo: null, compare: false, left: null, right: null,
  advanced: false, sheet: false, // whether the settings that few need, and on a phone all, are open
  fixing: false, stroke: null, // whether colours are being fixed, the stroke at hand
  grid: false, // all photos are seen at once
  problem: "", // a sentence
  scan: true, // beside colours a toned photo is seen as it came, not in grey
  moving: false, // an adjustment follows the pointer: smaller previews do
};

/** Called once, before anything is drawn. */
export function begin(element, props, trigger, upload) {
  Object.assign(app, { element, tab: element.closest("#colorize"), props, trigger, upload });
  for (const model of props.models) models.set(model.name, model);
}

const drawings = [];

/** Has `draw({ adjusted })` called after every change. */
export const onChange = (draw) => drawings.push(draw);

/**
 * Redraws: whatever changes something of the above says so here, and nobody else draws.
 * adjusted: the colours follow a setting, which may be far from the photo.
 */
export function change({ adjusted = false } = {}) {
  for (const draw of drawings) draw({ adjusted });
}

let settle = 0;

/** A change of the colours under the visitor's hand: small previews until it rests. */
export function follow() {
  view.moving = true;
  change({ adjusted: true });
  clearTimeout(settle);
  settle = setTimeout(() => ((view.moving = false), change()), 400);
}

/** Tells the visitor what is wrong. */
export function complain(sentence) {
  view.problem = sentence;
  change();
}

/** Whether the tab is the one that is open. */
export const isOpen = () => app.element.offsetParent !== null;

/** The photo that is looked at, or null. */
export function currentPhoto() {
  const chosen = state.photos.find((photo) => photo.number === view.photo);
  return chosen ?? state.photos[0] ?? null;
}

/** The names of the models that have colorized a photo. */
export const doneOf = (photo) =>
  photo.cards.filter((card) => card.state === "done").map((card) => card.model);

/** What tells a photo from all others, those of earlier sessions too. */
export const idOf = (photo) => `${state.key}/${photo.number}${photo.isCropped ? "/cropped" : ""}`;

/**
 * What a photo's colours are at first; null: as each model has it, the natural variant, no
 * reference (else its number), and all trust in that.
 */
export const PLAIN = Object.freeze({
  saturation: 1, temperature: null, variant: null, borders: null, restore: null,
  reference: null, trust: null,
});

const looks = new Map();

/** What the visitor wants of a photo, in the form of `PLAIN`; `borders` 0: coloured, `restore` 1. */
export const lookOf = (photo) => looks.get(idOf(photo)) ?? PLAIN;

/** Sets some of it. */
export const adjustLook = (photo, changes) =>
  looks.set(idOf(photo), { ...lookOf(photo), ...changes });

/** Whether two photos want the same. */
export const looksAlike = (one, other) =>
  Object.keys(PLAIN).every((key) => one[key] === other[key]);

const fixed = new Map();

/**
 * The strokes of a photo: {list: [{points, radius, colour, strength}], past: [lists], last: what
 * changed}. Points `[x, y]` and radius are in pixels of the photo; a colour is null until chosen.
 */
export function strokesOf(photo) {
  const id = idOf(photo);
  if (!fixed.has(id)) fixed.set(id, { list: [], past: [], last: null });
  return fixed.get(id);
}

/** The strokes of a photo that have a colour already. */
export const chosenStrokes = (photo) => strokesOf(photo).list.filter((stroke) => stroke.colour);
