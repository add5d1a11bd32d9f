// The Colorize tab's stage, in several files that Gradio runs as one function body:
// function (element, trigger, props, server, upload, watch). props.value is Session.state().
"use strict";

const models = new Map(props.models.map((model) => [model.name, model]));
const tab = element.closest("#colorize");
const look = { saturation: 1, temperature: null, seed: null, unsure: false, format: "keep" };
const view = {
  photo: null, compare: false, left: null, right: null, position: 50,
  hinting: null, hint: null, // the model whose card takes hints, the hint at hand
};
let state = { photos: [], models: [], progress: null, waiting: 0 };
let uploads = []; // files on their way: {name, url}
let sent = 0; // how many of them have arrived
let problem = "";
let moving = false; // an adjustment follows the pointer: smaller previews do

function h(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

const touched = matchMedia("(hover: none)").matches; // nothing can be dropped there
const show = (node, yes) => (node.hidden = !yes);
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

function address(path, extra = {}) {
  const query = new URLSearchParams();
  const all = { size: state.size, ...extra };
  for (const [key, value] of Object.entries(all)) if (value != null) query.set(key, value);
  return `gradio_api/colorize/${state.key}/${path}?${query}`;
}

const colours = () =>
  ({ saturation: look.saturation, temperature: look.temperature, seed: look.seed });
const coloursOf = (photo, model) => ({
  ...(model.overBins ? colours() : { saturation: look.saturation }),
  hints: model.takesHints ? written(photo) : null,
});
const idOf = (photo) => `${state.key}/${photo.number}`;
const ofModel = (photo, model, what) => `${photo.number}/${encodeURIComponent(model)}/${what}`;

const exampleAddress = (number) => `gradio_api/colorize/example/${number}`;

function side(box, photo) {
  const [width, height] = photo.size;
  const shown = (box.clientWidth || 600) * Math.min(window.devicePixelRatio || 1, 2);
  const longest = shown * Math.max(1, height / width);
  return [400, 800, 1200].find((step) => longest <= step) ?? 1600;
}

// One request at a time a picture; while it is under way only the newest wish is kept.
function load(image, url) {
  if (image.wanted === url) return;
  image.wanted = url;
  if (image.busy) return;
  const next = () => {
    const current = image.wanted;
    image.busy = true;
    image.classList.add("cz-busy");
    const done = () => {
      image.busy = false;
      image.classList.remove("cz-busy");
      if (image.wanted && image.wanted !== current) next();
    };
    image.onload = () => (image.classList.remove("cz-missing"), image.classList.add("cz-loaded"), done());
    image.onerror = () => (image.classList.add("cz-missing"), done(), explain(current));
    image.src = current;
  };
  next();
}

function unload(image) {
  image.wanted = null;
  image.busy = false;
  image.onload = image.onerror = null;
  image.classList.remove("cz-loaded", "cz-missing", "cz-busy");
  image.removeAttribute("src");
}

const unreachable = "The app does not answer. Check the connection, then load the page again.";

async function explain(url) {
  if (url.startsWith("blob:")) return; // of this page, not of the app
  const answer = await fetch(url).catch(() => null);
  if (answer?.ok) return;
  const body = await answer?.json().catch(() => null);
  complain(body?.error ?? unreachable);
}
