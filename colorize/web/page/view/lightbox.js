// The photo as large as the window, and as close as its own pixels: tiles of the full-size picture
// around the view. It opens over everything; wheel, pinch, double-tap, + - 0 and arrows move in it,
// and colours are fixed in it as they are outside.

import { h } from "../dom.js";
import { makeLayer, updateLayer } from "../fix/layer.js";
import { leave, panel, toggle } from "../fix/panel.js";
import { dropOpen } from "../fix/strokes.js";
import { address, coloursOf, load, ofModel } from "../pictures.js";
import { change, onChange, view } from "../state.js";

const TILE = 512; // pixels, as the app cuts them
const AT_ONCE = 6; // tiles that are asked for at a time
const CLOSEST = 8; // pixels of the screen for one of the photo
const STEP = 1.4; // of + and -

let open = null; // the one that is open

onChange(() => open && follow(open));

/** What lies over its picture while colours are fixed; null where it is not open. */
export const layerOfLightbox = () => open?.layer ?? null;

/** Opens it, inside `around`. untouched: what came stands before the colours, not grey. */
export function openLightbox(around, photo, model, untouched) {
  const box = makeBox(photo, model, untouched);
  around.append(box.dialog);
  open = box;
  box.dialog.showModal();
  fit(box);
  follow(box);
  box.stage.focus({ focusVisible: false });
}

function close(box) {
  open = null;
  box.dialog.remove();
  toggle.remove(); // the page puts it, and what it opens, where they belong
  change();
}

// Colours that were fixed meanwhile are seen, and the panel stands beside the picture.
function follow(box) {
  const { photo, model, fix, layer, layers: [colour] } = box;
  fix.setAttribute("aria-pressed", view.fixing);
  updateLayer(layer, photo, view.fixing);
  if (view.fixing && panel.parentNode !== box.dialog) box.dialog.append(panel);
  if (box.fixes && !view.fixing) setTimeout(() => fix.focus({ preventScroll: true }));
  box.fixes = view.fixing;
  const own = coloursOf(photo, model), written = JSON.stringify(own);
  if (written === JSON.stringify(colour.own)) return;
  colour.own = own;
  load(box.base, address(ofModel(photo, model.name, "colour"), { ...own, side: 1600 }));
  for (const tile of colour.tiles.values()) tile.remove(); // they have the colours of before
  colour.tiles.clear();
  want(box);
}

function makeBox(photo, model, untouched) {
  const own = coloursOf(photo, model);
  const base = (what, extra) => h("img", {
    src: address(what, { ...extra, side: 1600 }), draggable: "false", alt: "",
  });
  const inColour = base(ofModel(photo, model.name, "colour"), own);
  const after = h("div", { class: "cz-sheet" }, inColour);
  const before = h("div", { class: "cz-sheet" },
    base(`${photo.number}/${untouched ? "original" : "grey"}`, { size: null }));
  const front = h("div", { class: "cz-front" }, before);
  const stage = h("div", {
    class: "cz-stage", tabindex: 0, role: "application",
    "aria-label": `${photo.name} at full size. Plus, minus and 0 zoom, arrow keys move`,
  }, h("div", { class: "cz-back" }, after), front);
  const over = h("div", { class: "cz-over-photo" });
  stage.append(over);
  const says = h("output", { class: "cz-zoom" });
  const range = h("input", { type: "range", min: 0, max: 100, value: 0,
    "aria-label": untouched ? "How much of the scan is seen" : "How much of the grey is seen" });
  const button = (words, label, act) => h("button",
    { type: "button", class: "cz-button", "aria-label": label, onclick: act }, words);
  const fix = button("Fix a colour", "Fix a colour", () => {
    view.fixing = !view.fixing;
    dropOpen(photo);
    if (view.fixing) range.value = 0;
    range.oninput();
    change();
  });
  const box = {
    photo, model, fix, over, base: inColour, layer: makeLayer({ box: over }, model, leave),
    stage, after, before, front, says, scale: 1, x: 0, y: 0, pointers: new Map(), last: 0,
    layers: [
      { sheet: after, tiles: new Map(), path: ofModel(photo, model.name, "tile"), own },
      { sheet: before, tiles: new Map(), path: `${photo.number}/tile`,
        own: { size: null, as: untouched ? "original" : null } },
    ],
    loading: 0, wanted: [],
  };
  box.dialog = h("dialog", {
    class: "cz-lightbox", "aria-label": "Full size", onclose: () => close(box),
  }, stage, h("div", { class: "cz-bar-below" },
    button("Close", "Close", () => box.dialog.close()),
    button("−", "Smaller", () => zoom(box, 1 / STEP)),
    button("+", "Larger", () => zoom(box, STEP)),
    button("Fit", "Fit to the window", () => fit(box)),
    button("1:1", "Its own pixels", () => zoomTo(box, 1 / ratio())),
    says, range, fix));
  range.oninput = () => {
    front.style.setProperty("--at", `${range.value}%`);
    place(box);
  };
  box.range = range;
  listen(box);
  return box;
}

const ratio = () => window.devicePixelRatio || 1;

// Where things stand: a photo's pixel is `scale` wide on the screen, the photo begins at x, y.
function fit(box) {
  const { clientWidth: width, clientHeight: height } = box.stage;
  const [w, h_] = box.photo.size;
  box.smallest = Math.min(width / w, height / h_, 1 / ratio());
  box.scale = Math.min(width / w, height / h_);
  box.x = (width - w * box.scale) / 2;
  box.y = (height - h_ * box.scale) / 2;
  place(box);
}

function zoom(box, factor, at = null) {
  zoomTo(box, box.scale * factor, at);
}

function zoomTo(box, scale, at = null) {
  const [x, y] = at ?? [box.stage.clientWidth / 2, box.stage.clientHeight / 2];
  const next = Math.min(CLOSEST, Math.max(box.smallest, scale)), factor = next / box.scale;
  box.x = x - (x - box.x) * factor;
  box.y = y - (y - box.y) * factor;
  box.scale = next;
  place(box);
}

function place(box) {
  for (const [axis, length] of [["x", box.stage.clientWidth], ["y", box.stage.clientHeight]]) {
    const drawn = box.photo.size[axis === "x" ? 0 : 1] * box.scale;
    const low = Math.min(0, length - drawn), high = Math.max(0, length - drawn);
    box[axis] = drawn < length ? (length - drawn) / 2 : Math.min(high, Math.max(low, box[axis]));
  }
  for (const { sheet } of box.layers) {
    sheet.style.width = `${box.photo.size[0]}px`;
    sheet.style.height = `${box.photo.size[1]}px`;
    sheet.style.transform = `translate(${box.x}px, ${box.y}px) scale(${box.scale})`;
  }
  Object.assign(box.over.style, {
    left: `${box.x}px`, top: `${box.y}px`, width: `${box.photo.size[0] * box.scale}px`,
    height: `${box.photo.size[1] * box.scale}px`,
  });
  box.stage.dataset.close = box.scale * ratio() >= 1.5; // single pixels are meant to be seen
  box.says.textContent = `${Math.round(box.scale * ratio() * 100)}%`;
  clearTimeout(box.timer);
  box.timer = setTimeout(() => want(box), 60);
}

// The tiles in view where the picture for a screen is not enough; those far away are let go.
function want(box) {
  const { photo: { size: [w, h_] }, scale, x, y, stage } = box;
  const enough = 1600 / Math.max(w, h_) >= Math.min(1, scale * ratio());
  const seen = (at, start, length, side) => at + TILE > (0 - start) / scale
    && at < (length - start) / scale && at < side;
  const near = [];
  for (let top = 0; !enough && top < h_; top += TILE) {
    if (!seen(top, y, stage.clientHeight, h_)) continue;
    for (let left = 0; left < w; left += TILE) {
      if (seen(left, x, stage.clientWidth, w)) near.push([left, top]);
    }
  }
  box.wanted = [];
  for (const layer of box.layers) {
    const kept = new Set(near.map(String));
    for (const [key, tile] of layer.tiles) {
      if (!kept.has(key) && layer.tiles.size > 60) (tile.remove(), layer.tiles.delete(key));
    }
    if (layer.sheet === box.before && Number(box.range.value) === 0) continue;
    for (const [left, top] of near) {
      if (!layer.tiles.has(`${left},${top}`)) box.wanted.push({ layer, left, top });
    }
  }
  next(box);
}

function next(box) {
  while (box.loading < AT_ONCE && box.wanted.length) {
    const { layer, left, top } = box.wanted.shift(), key = `${left},${top}`;
    if (layer.tiles.has(key)) continue;
    const tile = h("img", {
      class: "cz-tile", alt: "", draggable: "false", style: `left: ${left}px; top: ${top}px`,
    });
    const over = (isThere) => {
      box.loading -= 1;
      if (layer.tiles.get(key) !== tile) return box.dialog.open && next(box); // colours of before
      if (isThere) layer.sheet.append(tile);
      else layer.tiles.delete(key);
      if (box.dialog.open) next(box);
    };
    layer.tiles.set(key, tile);
    box.loading += 1;
    tile.onload = () => over(true);
    tile.onerror = () => over(false);
    tile.src = address(layer.path, { ...layer.own, left, top });
  }
}

const KEYS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function listen(box) {
  const { stage, pointers } = box;
  const at = (event) => {
    const { left, top } = stage.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(box, Math.exp(-event.deltaY / (event.ctrlKey ? 120 : 400)), at(event));
  }, { passive: false });
  stage.onpointerdown = (event) => {
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    box.moved = false;
  };
  stage.onpointermove = (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event), others = [...pointers].filter(([id]) => id !== event.pointerId);
    if (Math.hypot(now[0] - before[0], now[1] - before[1]) > 3) box.moved = true;
    if (others.length) {
      const [, other] = others[0];
      const far = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
      zoom(box, far(now) / far(before), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
    } else {
      box.x += now[0] - before[0];
      box.y += now[1] - before[1];
      place(box);
    }
    pointers.set(event.pointerId, now);
  };
  stage.onpointerup = (event) => {
    if (!pointers.delete(event.pointerId) || box.moved) return; // else colours are fixed there
    const isSecond = event.timeStamp - box.last < 350;
    box.last = isSecond ? 0 : event.timeStamp;
    if (!isSecond) return;
    const own = 1 / ratio();
    if (Math.abs(box.scale - own) < 0.01 || box.scale > own) fit(box);
    else zoomTo(box, own, at(event));
  };
  stage.onpointercancel = (event) => pointers.delete(event.pointerId);
  // One Escape, wherever the focus is, closes one thing that is seen: the place at hand, what
  // colours are fixed with, the full size. Going back on a phone is a "cancel" and does the same.
  const goBack = (event) => {
    if (!view.fixing) return;
    event.preventDefault();
    event.stopPropagation(); // a pin and the panel would do it once more
    leave();
  };
  box.dialog.addEventListener("keydown", (event) => event.key === "Escape" && goBack(event), true);
  box.dialog.addEventListener("cancel", (event) => event.target === box.dialog && goBack(event));
  box.dialog.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || panel.contains(event.target)) return;
    const step = event.target !== box.range && KEYS[event.key];
    if (step) {
      box.x += step[0] * 80;
      box.y += step[1] * 80;
      place(box);
    } else if (event.key === "+" || event.key === "=") zoom(box, STEP);
    else if (event.key === "-") zoom(box, 1 / STEP);
    else if (event.key === "0") fit(box);
    else return;
    event.preventDefault();
  });
  const resized = new ResizeObserver(() => (box.dialog.open ? place(box) : resized.disconnect()));
  resized.observe(stage);
}
