// The Colorize tab's stage: its elements, and how they show what the page knows.

import {
  adjustedModel, cardOf, compares, original, pair, updateCard, updateOriginal, updatePair,
} from "./cards.js";
import { ask, h, plural, show, touched } from "./dom.js";
import { drawDownloads, saveAs } from "./files/downloads.js";
import {
  arrive, batch, camera, drawUploads, drop, endUploads, examples, input, makeExamples, toStart,
  uploads, veil, waiting,
} from "./files/uploads.js";
import { zip } from "./files/zip.js";
import { pinOf } from "./fix/layer.js";
import { drawPanel, onNewPin, panel, toggle } from "./fix/panel.js";
import { strokeStatus } from "./fix/strokes.js";
import { hear } from "./news.js";
import { askForPhotos, forget, kept, restore } from "./remember.js";
import { drawAdvanced, opener } from "./look/advanced.js";
import {
  drawSettings, listenToSettings, peek, peekAtPhoto, setUnsure,
} from "./look/settings.js";
import { drawScan, scanRow } from "./look/scans.js";
import { drawVariants, variants } from "./look/variants.js";
import { layerOfLightbox } from "./view/lightbox.js";
import { film } from "./view/film.js";
import { drawStrip, tray } from "./view/strip.js";
import { centre, toColour } from "./view/slider.js";
import {
  app, begin, change, complain, currentPhoto, doneOf, models, onChange, state, view,
} from "./state.js";

const count = h("span", { class: "cz-count" });
const progress = h("progress", { "aria-label": "Progress" });
const cancel = h("button", {
  type: "button", class: "cz-button",
  onclick: () => (endUploads(), app.trigger("cancel", {}), change()),
}, "Cancel");
const rest = h("button", {
  type: "button", class: "cz-button cz-main", onclick: () => app.trigger("rest", {}),
}, "Colorize the rest");
const work = h("div", { class: "cz-work", hidden: true }, progress, count, cancel, rest);
const status = h("p", { class: "cz-hidden", role: "status", "aria-live": "polite" });
const complaint = h("p", { class: "cz-error", role: "alert", hidden: true });

const title = h("h2", { class: "cz-name" });
const facts = h("p", { class: "cz-facts" });
const beside = h("button", { type: "button", onclick: () => compare(false) }, "Side by side");
const both = h("button", { type: "button", onclick: () => compare(true) }, "Compare two models");
const scan = h("button", { type: "button", onclick: () => showScan(true) }, "Scan");
const grey = h("button", { type: "button", onclick: () => showScan(false) }, "Grey");
const before = h("div", {
  class: "cz-switch", role: "group", "aria-label": "Picture before, which the colours stand beside",
}, scan, grey);
const switcher = h("div", { class: "cz-switch", role: "group", "aria-label": "View" },
  beside, both);
const remove = h("button", { type: "button", class: "cz-button cz-quiet",
  onclick: () => app.trigger("remove", { photo: currentPhoto().number }) }, "Remove this photo");
const restart = h("button", { type: "button", class: "cz-button cz-quiet",
  onclick: startOver }, "Start over");
const head = h("header", { class: "cz-head" },
  h("div", { class: "cz-title" }, title, facts), before, switcher);
const grid = h("div", { class: "cz-cards" });
const tools = h("div", { class: "cz-tools" }, opener);
const notice = h("p", { class: "cz-error", hidden: true });
const foot = h("footer", { class: "cz-foot" },
  saveAs, zip, h("span", { class: "cz-space" }), remove, restart);
const guess = h("p", { class: "cz-guess" },
  "Colours are a guess of the model, not a record of what was there.");
const privacy = h("p", { class: "cz-guess" },
  "Photos are sent to this app alone, which deletes them within an hour after you leave.");
const result = h("section", { class: "cz-result", "aria-label": "Result" },
  tray, head, notice, grid, tools, scanRow, variants, foot, guess, strokeStatus);
const headline = h("header", { class: "cz-top" },
  h("div", {}, h("h1", {}, "Colorize"),
    h("p", {}, `${touched ? "Choose" : "Drop"} a black-and-white photo and see it in colour.`)),
  h("div", { class: "cz-take" }, drop, camera), work);
const stage = h("div", { class: "cz" },
  headline, complaint, status, film, examples, result, privacy, peek, veil);

/**
 * Puts the stage into Gradio's element and keeps it up to date.
 * props: {value, models, most_hints, examples, most_bytes} of colorize/web/tab.py; `value` is
 * `Session.news()`. trigger(event, data), upload(file), watch(prop, callback): Gradio's.
 */
export function mount(element, props, trigger, upload, watch) {
  begin(element, props, trigger, upload);
  const layer = () => layerOfLightbox() ?? cardOf(adjustedModel(currentPhoto())).layer;
  onNewPin((stroke) => pinOf(layer(), stroke)?.focus());
  makeExamples();
  element.replaceChildren(stage);
  onChange(draw);
  listenToSettings();
  window.addEventListener("colorize-failed", fail);
  watch("value", () => hear(props.value, receive, fail));
  let resized = 0;
  new ResizeObserver(() => {
    clearTimeout(resized);
    resized = setTimeout(change, 200);
  }).observe(element);
  change();
  hear(props.value, receive, fail);
  if (kept) askForPhotos();
}

// The state is new; before: how many files the one before had.
function receive(before) {
  const isNew = state.newest !== view.newest || !state.photos.length;
  if (state.newest !== view.newest) {
    view.newest = state.newest;
    view.photo = state.newest;
  }
  arrive(before);
  if (kept) restore();
  change();
  if (isNew && batch.hasFirst) toStart();
}

function fail() {
  endUploads({ isGone: true });
  forget();
  Object.assign(state, { progress: null, taking: false });
  complain("That did not work: the app is busy or was restarted. Try again in a minute.");
}

async function startOver() {
  const number = state.photos.length;
  const what = number === 1 ? "Your photo" : `All ${number} photos`;
  const sentence = `${what} will be removed with all colours and fixed colours, and intensity, `
    + "temperature and working size go back to where they were at first. Models and names stay.";
  if (!await ask(stage, sentence, "Start over")) {
    restart.focus();
    if (restart.disabled) [lost, wasSeen] = [restart, true]; // work has begun: after that
    return;
  }
  setUnsure(false);
  toColour();
  app.trigger("restart", {});
}

function showScan(yes) {
  view.scan = yes;
  change();
}

function compare(yes) {
  view.compare = yes;
  if (yes) {
    view.fixing = false;
    centre();
  }
  change();
}

function draw({ adjusted }) {
  const focused = document.activeElement, seen = focused.matches(":focus-visible");
  const photo = currentPhoto();
  const busy = Boolean(state.progress || state.taking || uploads.length || kept);
  const empty = !photo && !uploads.length;
  app.tab.dataset.state = empty ? "empty" : "result";
  app.tab.dataset.many = state.photos.length > 1;
  app.tab.dataset.usable = !photo?.error;
  app.tab.dataset.bins = state.models.some((name) => models.get(name)?.overBins);
  show(complaint, view.problem);
  complaint.textContent = view.problem;
  show(result, !empty);
  lock(busy);
  drawUploads({ empty, busy });
  drawWork();
  drawStrip();
  drawSettings();
  drawAdvanced();
  if (!batch.hasFirst && uploads.length) drawUpload(uploads[0]);
  else if (photo) drawPhoto(photo);
  keepFocus(focused, seen, busy);
  if (adjusted) peekAtPhoto();
}

// Work hides, locks and removes what may have the focus: it comes back, or goes to the start.
let lost = null;
let wasSeen = false;

function keepFocus(focused, seen, busy) {
  if (app.tab.contains(focused) && !isUsable(focused)) [lost, wasSeen] = [focused, seen];
  const isElsewhere = focused !== lost && focused !== document.body;
  if (!lost || (busy && !isElsewhere && !isUsable(lost))) return;
  const next = isUsable(lost) ? lost : nearby(lost);
  if (!isElsewhere) next.focus({ preventScroll: true, focusVisible: wasSeen });
  lost = null;
}

function nearby(node) {
  let around = node.parentElement;
  for (; around && around !== app.tab; around = around.parentElement) {
    const found = [...around.querySelectorAll("button, a[href], select, input")].find(isUsable);
    if (found) return found;
  }
  return input;
}

const isUsable = (node) => isSeen(node) && !node.disabled && !node.closest("[inert]");

const isSeen = (node) =>
  node.checkVisibility?.({ visibilityProperty: true }) // Safari has it since 17.4
    ?? node.getClientRects().length > 0;

function lock(busy) {
  for (const button of [remove, restart]) button.disabled = busy;
  // What an earlier visit had chosen is on its way; else models can be chosen any time.
  for (const part of app.tab.querySelectorAll(".cz-starts-work")) {
    part.inert = Boolean(kept);
    part.setAttribute("aria-disabled", Boolean(kept));
  }
}

function drawWork() {
  const now = state.progress;
  const taking = state.taking || uploads.length > 0 || kept;
  const left = !now && !taking && state.waiting;
  show(work, now || taking || left);
  work.dataset.waits = Boolean(left);
  show(progress, !left);
  show(cancel, now || (uploads.length > 0 && batch.total > 1));
  show(rest, left);
  const pace = paceOf(now || taking);
  if (now) {
    progress.max = pace.total;
    progress.value = pace.done;
    const photo = state.photos.find((other) => other.number === now.photo);
    const what = photo ? `${photo.name}, ${models.get(now.model).title}` : "waiting for its turn";
    count.textContent =
      `${Math.min(pace.done + 1, pace.total)} of ${pace.total} · ${pace.left || what}`;
  } else if (taking) {
    progress.removeAttribute("value");
    count.textContent = batch.sent < batch.total && batch.total > 1
      ? `Sending ${batch.sent + 1} of ${batch.total}…`
      : kept ? "Bringing your photos back…" : "Opening…";
  } else if (left) {
    count.textContent = `Stopped. ${plural(left, "picture")} left.`;
  }
  if (waiting()) count.textContent += ` · then ${plural(waiting(), "more photo")}`;
  const said = work.hidden ? (state.photos.length ? "Done" : "") : count.textContent;
  if (status.textContent !== said) status.textContent = said;
}

// How far the work is, with what is still being sent: {done, total, left: "about 15 s left"}.
const start = { time: 0, done: 0 };

function paceOf(works) {
  const cards = state.photos.flatMap((photo) => photo.cards);
  const finished = cards.filter((card) => ["done", "failed"].includes(card.state)).length;
  if (!works || !start.time) Object.assign(start, { time: works ? Date.now() : 0, done: finished });
  const done = finished - start.done;
  const open = cards.length - finished + uploads.length * state.models.length;
  const seconds = done > 2 ? ((Date.now() - start.time) / 1000 / done) * open : 0;
  const left = seconds > 90 ? `about ${Math.round(seconds / 60)} min left`
    : seconds > 7 ? `about ${Math.ceil(seconds / 5) * 5} s left` : "";
  return { done, total: done + open, left };
}

function drawPhoto(photo) {
  title.textContent = photo.name;
  const size = photo.size ? [`${photo.size[0]} × ${photo.size[1]} pixels`, photo.format] : [];
  facts.textContent = [...size, ...photo.notices].join(" · ");
  show(notice, photo.error || !photo.cards.length);
  notice.textContent = photo.error || "Choose at least one model to see colours.";
  const done = doneOf(photo), comparing = compares(photo);
  show(switcher, photo.cards.length > 1);
  show(before, photo.isToned && !comparing);
  scan.setAttribute("aria-pressed", view.scan);
  grey.setAttribute("aria-pressed", !view.scan);
  beside.disabled = both.disabled = done.length < 2;
  beside.setAttribute("aria-pressed", !comparing);
  both.setAttribute("aria-pressed", comparing);
  const shown = comparing ? [pair] : photo.cards.map((card) => cardOf(card.model));
  if (!comparing && photo.hasColours) shown.unshift(original);
  arrange(shown.map((card) => card.node), photo);
  if (comparing) updatePair(photo);
  else photo.cards.forEach((card) => updateCard(cardOf(card.model), photo, card));
  if (!comparing && photo.hasColours) updateOriginal(photo);
  const total = state.photos.flatMap(doneOf).length;
  const model = models.get(adjustedModel(photo));
  show(tools, photo.cards.length);
  show(remove, !view.grid);
  placePanel();
  drawPanel(photo, model);
  drawScan(photo);
  drawVariants(photo);
  drawDownloads(total, done.length);
  show(foot, true);
  show(guess, total > 0);
}

// Colours are fixed beside the photo where there is room, else under it.
const isWide = matchMedia("(min-width: 1000px)");

function placePanel() {
  const beside = isWide.matches && app.tab.querySelector(".cz-fix-place");
  const home = beside || tools;
  if (toggle.parentNode === home) return;
  home.append(toggle);
  if (beside) beside.append(panel);
  else tools.after(panel);
}

// While a file is on its way the photo is shown from this machine, where it will stand.
function drawUpload(file) {
  title.textContent = file.name;
  facts.textContent = "";
  for (const part of [notice, before, switcher, tools, panel, scanRow, variants, foot, guess]) show(part, false);
  arrange([file.node], file, app.tab.querySelectorAll(".cz-models :checked").length || 1);
}

function arrange(nodes, photo, number = nodes.length) {
  const portrait = photo.size && photo.size[1] > photo.size[0];
  const columns = number <= 3 ? number : portrait && number === 4 ? 4 : number === 4 ? 2 : 3;
  grid.style.setProperty("--columns", columns);
  const old = [...grid.children];
  const same = nodes.length === old.length && nodes.every((node, i) => node === old[i]);
  if (!same) grid.replaceChildren(...nodes);
}
