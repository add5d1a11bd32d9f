// Files out: a photo's, and how all are named.

import { h, show } from "../dom.js";
import { unreachable } from "../pictures.js";
import { app, change, complain, look } from "../state.js";
import { drawZip } from "./zip.js";

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

/** The choice of the files' format. */
export const saveAs = h("label", { class: "cz-save-as" }, "Save as", format);

/** number: how many pictures are done, of all photos; ofThis: of the photo that is looked at. */
export function drawDownloads(number, ofThis) {
  drawZip(number);
  show(saveAs, ofThis > 0 || number > 1);
  const place = app.tab.querySelector(".cz-of-files-place");
  if (place && naming.parentNode !== place) place.append(naming);
  show(naming, !saveAs.hidden);
  format.value = look.format;
  if (document.activeElement !== names) names.value = look.names;
}

/**
 * Follows a link to a full-size file, which is made on demand: the link says that it works, and
 * the page why if it cannot.
 */
export async function fetchFile(event) {
  const link = event.currentTarget;
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
