// Before and after: two pictures and a line between them, moved by pointer or keyboard.

import { h } from "../dom.js";

/** Gives a card's frame the shape of its photo. */
export function frame(box, photo) {
  const ratio = Math.min(Math.max(photo.size[0] / photo.size[1], 0.2), 5);
  box.style.aspectRatio = ratio;
  box.classList.toggle("cz-narrow", ratio < 0.4); // two labels do not fit beside each other
  box.closest(".cz-card").style.setProperty("--ratio", ratio);
}

const sliders = new Set();
let position = 0; // of the line in all of them, in percent
let isMoved = false; // by hand: then it stays where it was put
let sweeping = 0; // the frame to come

function moveTo(place) {
  position = Math.min(100, Math.max(0, place));
  for (const slider of sliders) slider.place();
}

function moveByHand(place) {
  cancelAnimationFrame(sweeping);
  isMoved = true;
  moveTo(place);
}

/** Puts the line of all of them into the middle. */
export const centre = () => moveByHand(50);

/** All is in colour again, as at first. */
export function toColour() {
  cancelAnimationFrame(sweeping);
  isMoved = false;
  moveTo(0);
}

const swept = new Set();
const SWEEP = 1300; // milliseconds

/** Once a photo: its colours, which have just come, run over the grey and stay. */
export function sweep(photo) {
  if (isMoved || swept.has(photo)) return;
  swept.add(photo);
  cancelAnimationFrame(sweeping);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return moveTo(0);
  const begun = performance.now();
  const step = (now) => {
    const share = Math.min(1, Math.max(0, (now - begun) / SWEEP));
    moveTo(100 * (1 - share * share * (3 - 2 * share)));
    if (share < 1) sweeping = requestAnimationFrame(step);
  };
  step(begun);
}

/**
 * A slider: {box, left, right, unsure, range, leftTag, rightTag, place()}. The pictures, the tags'
 * texts and the name of `range` are the caller's, who calls `place` after a new text.
 */
export function makeSlider() {
  const left = h("img", { draggable: "false" });
  const right = h("img", { draggable: "false" });
  const unsure = h("img", { class: "cz-unsure", alt: "", draggable: "false", hidden: true });
  const leftTag = h("span", { class: "cz-tag" });
  const rightTag = h("span", { class: "cz-tag cz-right" });
  const range = h("input", {
    type: "range", min: 0, max: 100, step: 2, class: "cz-range",
    oninput: () => moveByHand(Number(range.value)),
  });
  const clip = h("div", { class: "cz-left" }, left);
  const line = h("div", { class: "cz-line", "aria-hidden": "true" });
  const grip = h("span", { class: "cz-grip", "aria-hidden": "true" });
  const box = h("div", { class: "cz-slider" },
    clip, right, unsure, line, grip, leftTag, rightTag, range);
  const follow = (event) => {
    const { left: start, width } = box.getBoundingClientRect();
    moveByHand(((event.clientX - start) / width) * 100);
  };
  box.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    box.setPointerCapture(event.pointerId);
    range.focus({ preventScroll: true, focusVisible: false });
    follow(event);
  });
  box.addEventListener("pointermove", (event) => {
    if (box.hasPointerCapture(event.pointerId)) follow(event);
  });
  const slider = {
    box, left, right, unsure, range, leftTag, rightTag,
    place() {
      box.style.setProperty("--at", `${position}%`);
      leftTag.classList.toggle("cz-over", position < 8); // none of its picture is left there
      rightTag.classList.toggle("cz-over", position > 92);
      range.value = position;
      range.setAttribute("aria-valuetext", `${Math.round(position)}% ${leftTag.textContent}`);
    },
  };
  sliders.add(slider);
  slider.place();
  return slider;
}
