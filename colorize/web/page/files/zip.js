// All files as a ZIP: what is wanted of each photo is sent as a list, the ZIP is made from it.

import { h, show } from "../dom.js";
import { ofFiles, placeOf, strokesText, unreachable } from "../pictures.js";
import { change, complain, lookOf, PLAIN, state } from "../state.js";

const GLANCE = 400; // milliseconds between two looks at how far it is
const PATIENCE = 20000; // for the browser to begin, which may ask first

const bar = h("progress", { "aria-label": "Progress of the ZIP" });
const count = h("span", { class: "cz-zip-count" });
const cancel = h("button", { type: "button", class: "cz-button" }, "Cancel");
const under = h("div", { class: "cz-zip", hidden: true }, bar, count, cancel);
const button = h("button", { type: "button", class: "cz-button", onclick: fetchAll },
  "Download all");

const note = h("span", { class: "cz-zip-note", role: "status" });

/** The button, and how far the ZIP is while it is made. */
export const zip = h("div", { class: "cz-all" }, button, under, note);

let isUnderWay = false;

/** number: how many pictures there are. */
export function drawZip(number) {
  show(zip, isUnderWay || number > 1);
  show(button, !isUnderWay);
  show(under, isUnderWay);
}

// As an address would have it: what is all photos' own, then what of each is not as at first.
function wanted() {
  const list = { ...ofFiles(), size: state.size, models: state.models.join(",") };
  for (const photo of state.photos) {
    const own = { ...lookOf(photo), strokes: strokesText(photo) };
    for (const [key, value] of Object.entries(own)) {
      if (value !== (PLAIN[key] ?? null)) list[`${key}-${photo.number}`] = value;
    }
  }
  const told = Object.entries(list).filter(([, value]) => value != null);
  return Object.fromEntries(told.map(([key, value]) => [key, String(value)]));
}

async function fetchAll() {
  const { key } = state;
  tell({ done: 0, total: 0 });
  isUnderWay = true;
  note.textContent = "";
  change();
  cancel.disabled = false;
  let isUnwanted = false;
  cancel.onclick = () => (isUnwanted = cancel.disabled = true);
  cancel.focus({ preventScroll: true });
  try {
    const { name } = await ask(key, "all", wanted());
    cancel.onclick = () => ((cancel.disabled = true), ask(key, `all/${name}/cancel`, {}).catch(() => 0));
    if (!isUnwanted) {
      h("a", { href: placeOf(key, `all/${name}.zip`), download: "colorized.zip" }).click();
      await watch(key, name);
    }
  } catch (error) {
    complain(error instanceof TypeError ? unreachable : error.message);
  }
  isUnderWay = false;
  change();
  if (document.activeElement === document.body) button.focus({ preventScroll: true });
}

async function watch(key, name) {
  const begun = Date.now();
  for (;;) {
    const progress = await ask(key, `all/${name}/state`);
    tell(progress);
    if (progress.is_over) {
      if (progress.is_cancelled) note.textContent = "The ZIP has what was done by then.";
      return;
    }
    if (!progress.has_begun && Date.now() - begun > PATIENCE) return;
    await new Promise((resolve) => setTimeout(resolve, GLANCE));
  }
}

function tell({ done, total }) {
  if (total) [bar.max, bar.value] = [total, done];
  else bar.removeAttribute("value");
  count.textContent = total ? `${Math.min(done + 1, total)} of ${total}` : "Preparing…";
}

async function ask(key, path, body = null) {
  const how = body ? { method: "POST", body: JSON.stringify(body) } : {};
  const answer = await fetch(placeOf(key, path), how);
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said;
}
