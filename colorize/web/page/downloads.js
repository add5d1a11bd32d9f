// Files out: a photo's, and all of them as a ZIP.

import { h, show } from "./dom.js";
import { address, unreachable, written } from "./pictures.js";
import { app, change, chosenStrokes, complain, look, lookOf, PLAIN, state } from "./state.js";

const format = h("select", {
  class: "cz-select", "aria-label": "File format of downloads",
  onchange: () => ((look.format = format.value), change()),
}, h("option", { value: "keep" }, "Same format"), h("option", { value: "jpg" }, "JPEG"),
h("option", { value: "png" }, "PNG"),
h("option", { value: "side" }, "Side by side (JPEG)"));

const USUAL = "{name}-{model}";
const names = h("input", {
  type: "text", class: "cz-select cz-names", placeholder: USUAL, maxlength: 100, spellcheck: "false",
  title: "{name}: the photo's, {model}, {number}: its place; anything else stands as it is",
  onchange: () => ((look.names = names.value.trim()), change()),
});

// How downloads are named: few need it, so it is folded away.
const naming = h("label", { class: "cz-save-as" }, "Names", names);

/** What the names of downloads and their format are, for `address`. */
export const ofFiles = () => ({ format: look.format, name: look.names || null });

/** The choice of the files' format. */
export const saveAs = h("label", { class: "cz-save-as" }, "Save as", format);

/** The link to the ZIP. */
export const all = h("a", {
  class: "cz-button", download: "colorized.zip", onclick: fetchFile,
}, "Download all");

/** number: how many pictures are done, of all photos; ofThis: of the photo that is looked at. */
export function drawDownloads(number, ofThis) {
  show(all, number > 1);
  show(saveAs, ofThis > 0 || number > 1);
  const place = app.tab.querySelector(".cz-of-files-place");
  if (place && naming.parentNode !== place) place.append(naming);
  show(naming, !saveAs.hidden);
  format.value = look.format;
  if (document.activeElement !== names) names.value = look.names;
  const wanted = { ...ofFiles(), models: state.models.join(",") };
  for (const photo of state.photos) {
    const own = { ...lookOf(photo), strokes: written(chosenStrokes(photo)) };
    for (const [key, value] of Object.entries(own)) {
      if (value !== (PLAIN[key] ?? null)) wanted[`${key}-${photo.number}`] = value;
    }
  }
  all.href = address("all.zip", wanted);
}

const pixelsOfAll = () => state.photos.filter((photo) => photo.size).reduce(
  (sum, { size: [width, height] }) => sum + width * height * state.models.length, 0);

/**
 * Follows a link to a full-size file, which is made on demand: the link says that it works, and
 * the page why if it cannot.
 */
export async function fetchFile(event) {
  const link = event.currentTarget;
  if (link === all && pixelsOfAll() > 2e8) return; // too much to hold here: the browser fetches it
  event.preventDefault();
  const words = link.textContent;
  if (link.getAttribute("aria-busy") === "true") return;
  link.setAttribute("aria-busy", "true");
  link.textContent = "Preparing…";
  try {
    const answer = await fetch(link.href);
    if (!answer.ok) throw new Error((await answer.json()).error);
    const header = answer.headers.get("Content-Disposition");
    const name = /filename\*?=(?:utf-8'')?"?([^";]+)/i.exec(header)[1];
    const url = URL.createObjectURL(await answer.blob());
    h("a", { href: url, download: decodeURIComponent(name) }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  } catch (error) {
    complain(error instanceof TypeError ? unreachable : error.message);
  }
  link.textContent = words;
  link.removeAttribute("aria-busy");
}
