// Photos in: chosen, dropped, pasted, taken with the camera, or one of the examples.

import { h, show, touched } from "../dom.js";
import { exampleAddress } from "../pictures.js";
import { film, isFilm, takeFilms } from "../view/film.js";
import { frame } from "../view/slider.js";
import { app, change, isOpen, state, view } from "../state.js";

/** The photos on their way, in the form of the state's, and with {url, node}. */
export let uploads = [];

/** Of a drop: how many photos it has, how many are sent, and whether the app shows the first. */
export const batch = { total: 0, sent: 0, hasFirst: true };

// Photos are opened and colorized as they arrive; what is sent while the app answers goes next.
let ready = [];
let asked = 0; // files that the app has not answered for
let stale = 0; // those of them that were cancelled
let goesOn = false; // the app was given the first of this drop
let later = []; // files that came while others are at work

/** How many files wait until none are at work. */
export const waiting = () => later.length;

/** Where files are chosen. */
export const input = h("input", {
  type: "file", multiple: true, class: "cz-file", "aria-label": "Choose photos",
  accept: "image/*,video/*,.avif,.heic,.heif,.tif,.tiff,.bmp,.webp,.mkv,.avi",
  onchange: () => (take([...input.files]), (input.value = "")),
});

const invitation = h("span", { class: "cz-big" });
const pick = h("span", { class: "cz-button cz-main cz-pick", "aria-hidden": "true" },
  "Choose photos");

/** Where photos are dropped; it frames `input`. */
export const drop = h("label", { class: "cz-drop" }, input, invitation, pick,
  h("span", { class: "cz-small" }, touched ? "" : "or paste one; films too"));

// A picture of a film, to be coloured by hand.
film.addEventListener("photo", (event) => take([event.detail]));

/** Lies over the page while photos are dragged over it. */
export const veil = h("div", { class: "cz-veil", hidden: true }, "Drop photos to colorize them");

/** Opens the camera. */
export const camera = h("button", {
  type: "button", class: "cz-button cz-camera", onclick: openCamera,
}, "Use the camera");
show(camera, Boolean(navigator.mediaDevices?.getUserMedia));

const row = h("div");

/** The photos to try. */
export const examples = h("section", { class: "cz-examples" },
  h("h2", {}, "Or try one of these"), row);

/** Makes a button for each example, once `begin` has said which there are. */
export function makeExamples() {
  row.replaceChildren(...app.props.examples.map((name, number) =>
    h("button", {
      type: "button", "aria-label": `Try the example: ${name}`,
      onclick: () => tryExample(number),
    }, h("div", {}, h("img", { src: exampleAddress(number), alt: "" }),
      h("img", { class: "cz-coloured", src: `${exampleAddress(number)}/colour`, alt: "" })),
    h("span", {}, name))));
}

/** empty: there is no photo yet. busy: none can be added now. */
export function drawUploads({ empty, busy }) {
  invitation.textContent = !empty ? "Add photos"
    : touched ? "Choose black-and-white photos" : "Drop black-and-white photos here";
  show(examples, empty);
  show(pick, empty);
  show(drop.parentElement, !busy || empty);
  drop.inert = busy;
  for (const button of [camera, ...row.children]) button.disabled = busy;
  if (!busy && later.length) setTimeout(takeLater);
}

function takeLater() {
  const given = later;
  later = [];
  take(given);
}

/** Scrolls to where what is new stands: the top. */
export function toStart() {
  const top = drop.closest(".cz-top");
  if (top.getBoundingClientRect().top < 0) top.scrollIntoView();
}

async function take(given) {
  const films = given.filter(isFilm);
  if (films.length) takeFilms(films);
  given = given.filter((file) => !films.includes(file));
  if (!given.length) return;
  if (drop.inert) {
    later.push(...given);
    return change();
  }
  const small = given.filter((file) => file.size <= app.props.most_bytes);
  const files = small.slice(0, Math.max(0, app.props.most_photos - state.photos.length));
  view.problem = refusal(given.filter((file) => !small.includes(file)), small.slice(files.length));
  if (!files.length) return change();
  begin(files.map((file) => local(file.name, URL.createObjectURL(file))));
  const mine = uploads, all = [...uploads]; // those that arrive leave `uploads`
  for (const [number, file] of files.entries()) {
    try {
      const { path } = await app.upload(file);
      if (uploads !== mine) return; // cancelled
      ready.push(path);
      offer();
    } catch (error) { // the owner may have set a lower limit than the page knows of
      view.problem = /size|large/i.test(String(error))
        ? `${file.name} is too large to be sent. Save it smaller, then drop it again.`
        : `${file.name} could not be sent. Check the connection, then drop it again.`;
      if (uploads !== mine) return;
      mine.splice(mine.indexOf(all[number]), 1);
      URL.revokeObjectURL(all[number].url);
    }
    batch.sent = number + 1;
    change();
  }
}

function begin(all) {
  uploads = all;
  ready = [];
  goesOn = false;
  Object.assign(batch, { total: all.length, sent: 0, hasFirst: false });
  change();
  toStart();
}

function offer() {
  if (!ready.length || asked) return;
  asked = ready.length;
  app.trigger("photos", { paths: ready, goesOn });
  [ready, goesOn] = [[], true];
}

/** Once the app's news are in the state, which had `before` files: what it has is no upload. */
export function arrive(before) {
  const answered = Math.max(0, state.offered - before), late = Math.min(stale, answered);
  asked = Math.max(0, asked - answered);
  stale -= late;
  for (const file of uploads.splice(0, answered - late)) URL.revokeObjectURL(file.url);
  if (answered > late) batch.hasFirst = true;
  offer();
}

// What is not sent, and why: files that are too large, and those for which there is no room.
function refusal(large, over) {
  const megabytes = Math.floor(app.props.most_bytes / 2 ** 20);
  const tooLarge = large.length ? `Larger than ${megabytes} MB and not sent: ${listed(large)}. `
    + "Save smaller, then drop again. " : "";
  const tooMany = over.length ? `${app.props.most_photos} photos fit at a time, not sent: `
    + `${listed(over)}. Remove some, or start over.` : "";
  return tooLarge + tooMany;
}

function listed(files) {
  const names = files.slice(0, 3).map((file) => file.name);
  return files.length > 3 ? `${names.join(", ")} and ${files.length - 3} more` : names.join(", ");
}

// A photo that the app has not opened yet, in the frame that it will stand in.
function local(name, url) {
  const image = h("img", { src: url, alt: `${name} in grey` });
  const box = h("div", { class: "cz-slider cz-still" }, image);
  const node = h("article", { class: "cz-card cz-local" }, h("header", {}), box);
  const photo = { name, url, node, size: null, cards: [] };
  image.onload = () => {
    photo.size = [image.naturalWidth, image.naturalHeight];
    frame(box, photo);
    change();
  };
  image.onerror = () => show(box, false); // a format that browsers do not know
  return photo;
}

function tryExample(number) {
  view.problem = "";
  begin([local(app.props.examples[number], exampleAddress(number))]);
  [batch.sent, asked] = [1, 1];
  app.trigger("example", { number });
}

/** What is not there yet is given up; isGone: the app will not answer for what it was given. */
export function endUploads({ isGone = false } = {}) {
  for (const file of uploads) URL.revokeObjectURL(file.url);
  [uploads, ready, later] = [[], [], []];
  if (isGone) asked = 0;
  stale = asked;
  batch.hasFirst = true;
}

const filesOf = (list) => [...(list ?? [])].filter((file) => file.size || file.type);

document.addEventListener("paste", (event) => {
  const files = filesOf(event.clipboardData?.files);
  if (!files.length || !isOpen()) return;
  event.preventDefault();
  take(files);
});
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files") || !isOpen()) return;
    event.preventDefault();
    show(veil, true);
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) show(veil, false);
});
document.addEventListener("drop", (event) => {
  show(veil, false);
  const files = filesOf(event.dataTransfer?.files);
  if (!files.length || !isOpen()) return;
  event.preventDefault();
  take(files);
});

async function openCamera() {
  const video = h("video", { autoplay: true, playsinline: true, muted: true });
  const shoot = h("button", { type: "button", class: "cz-button cz-main", disabled: true },
    "Take the photo");
  const close = h("button", { type: "button", class: "cz-button" }, "Cancel");
  const words = h("p", {}, "Waiting for the camera…");
  const dialog = h("dialog", { class: "cz-dialog", "aria-label": "Camera" },
    video, words, h("div", {}, shoot, close));
  let stream = null;
  close.onclick = () => dialog.close();
  const stop = () => stream?.getTracks().forEach((track) => track.stop());
  dialog.onclose = () => (stop(), dialog.remove(), camera.focus());
  shoot.onclick = () => {
    const canvas = h("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => {
      dialog.close();
      take([new File([blob], "camera.jpg", { type: "image/jpeg" })]);
    }, "image/jpeg", 0.95);
  };
  camera.closest(".cz").append(dialog);
  dialog.showModal();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1920, height: 1080 } });
    if (!dialog.open) return stop();
    video.srcObject = stream;
    video.onloadeddata = () => ((shoot.disabled = false), (words.textContent = ""));
  } catch {
    show(video, false);
    words.textContent =
      "The camera cannot be used here. Allow it in the browser, or choose a file.";
  }
}
