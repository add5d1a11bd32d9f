// What is painted over a photo: a list of strokes, and what is done to it.

import { written } from "../pictures.js";
import { app, change, chosenStrokes, complain, follow, strokesOf, view } from "../state.js";
import { h } from "../dom.js";

const LONGEST = 14000; // characters of all strokes in an address

/** Says to those who listen what became of a stroke. */
export const strokeStatus = h("p", { class: "cz-hidden", role: "status", "aria-live": "polite" });
export const say = (words) => (strokeStatus.textContent = words);

/**
 * A new list of strokes. What is done again and again to one stroke, as in a colour picker, is one
 * step to undo: `what` names it.
 */
export function replaceAll(photo, list, what = null) {
  const of = strokesOf(photo);
  if (!what || of.last !== what) of.past.push(of.list.filter((stroke) => stroke.colour));
  of.last = what;
  of.list = list;
  view.stroke = list.includes(view.stroke) ? view.stroke : null;
  follow();
}

/** Takes back the last step. */
export function undo(photo) {
  const of = strokesOf(photo);
  if (!of.past.length) return;
  of.list = of.past.pop();
  of.last = view.stroke = null;
  say("Undone");
  follow();
}

/** Changes some of a stroke. */
export function replaceStroke(photo, stroke, changes, what = null) {
  const after = { ...stroke, ...changes };
  if (view.stroke === stroke) view.stroke = after;
  const list = strokesOf(photo).list.map((other) => (other === stroke ? after : other));
  if (after.colour) replaceAll(photo, list, what);
  else {
    strokesOf(photo).list = list;
    change();
  }
}

/** Takes a stroke away. */
export function removeStroke(photo, stroke) {
  const list = strokesOf(photo).list.filter((other) => other !== stroke);
  if (stroke.colour) replaceAll(photo, list);
  else strokesOf(photo).list = list;
  view.stroke = null;
  say("Removed");
  change();
}

/** Gives the strokes that have no colour yet, and the one at hand, a colour. */
export function paint(photo, colour, what = null) {
  say(`Colour set to ${colour}`);
  const list = strokesOf(photo).list.map((stroke) => {
    if (stroke.colour && stroke !== view.stroke) return stroke;
    const painted = { ...stroke, colour };
    if (stroke === view.stroke) view.stroke = painted;
    return painted;
  });
  replaceAll(photo, list, what);
}

/** Drops the strokes that never got a colour. */
export function dropOpen(photo) {
  strokesOf(photo).list = chosenStrokes(photo);
}

/**
 * A new stroke, which is the one at hand. A click starts anew, what is painted joins what has no
 * colour yet; with `keeps` the thing below keeps its colour.
 */
export function addStroke(photo, points, radius, keeps = false) {
  if (points.length === 1 && !keeps) dropOpen(photo);
  const stroke = {
    points: points.map((point) => inPhoto(photo, point)), radius, strength: keeps ? 0 : 1,
    colour: keeps ? KEPT : null,
  };
  const list = [...strokesOf(photo).list, stroke];
  if (list.length > app.props.most_hints || written(list).length > LONGEST) {
    return complain("That is as much as can be painted on a photo. Undo or delete some first.");
  }
  if (keeps) return replaceAll(photo, list);
  strokesOf(photo).list = list;
  view.stroke = stroke;
  change();
}

const KEPT = "#808080"; // of a stroke that changes nothing, whose colour says nothing

/** Whether a stroke keeps the colours that are there. */
export const keepsColours = (stroke) => stroke.strength === 0;

/** A point inside a photo, in whole pixels. */
export const inPhoto = ({ size }, point) =>
  point.map((at, axis) => Math.min(Math.max(Math.round(at), 0), size[axis] - 1));

/** A stroke's points moved by [dx, dy], as far as the first of them stays in the photo. */
export function moved(photo, stroke, [dx, dy]) {
  const [x, y] = stroke.points[0], [toX, toY] = inPhoto(photo, [x + dx, y + dy]);
  return stroke.points.map((point) => inPhoto(photo, [point[0] + toX - x, point[1] + toY - y]));
}

/** The fewest of the points from which none is farther than `far` (Douglas and Peucker 1973). */
export function simplified(points, far) {
  if (points.length < 3) return points;
  const first = points[0], last = points.at(-1);
  const away = points.map((point) => fromLine(point, first, last));
  const most = away.indexOf(Math.max(...away));
  if (away[most] <= far) return [first, last];
  return [
    ...simplified(points.slice(0, most + 1), far).slice(0, -1),
    ...simplified(points.slice(most), far),
  ];
}

function fromLine([x, y], [x0, y0], [x1, y1]) {
  const dx = x1 - x0, dy = y1 - y0;
  const share = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1);
  const at = Math.min(Math.max(share, 0), 1);
  return Math.hypot(x - x0 - at * dx, y - y0 - at * dy);
}
