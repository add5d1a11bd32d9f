// The Colorize tab's stage. Gradio runs this as the body of
// function (element, trigger, props, server, upload, watch); props.value is Session.state().
"use strict";

const models = new Map(props.models.map((model) => [model.name, model]));
const tab = element.closest("#colorize");
const look = { saturation: 1, temperature: null, unsure: false, format: "keep" };
const view = { photo: null, compare: false, left: null, right: null, position: 50 };
let state = { photos: [], models: [], progress: null, waiting: 0 };
let uploads = []; // files on their way: {name, url}
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

const show = (node, yes) => (node.hidden = !yes);
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

// --- addresses -------------------------------------------------------------------------------

function address(path, extra = {}) {
  const query = new URLSearchParams();
  const all = { size: state.size, ...extra };
  for (const [key, value] of Object.entries(all)) if (value != null) query.set(key, value);
  return `gradio_api/colorize/${state.key}/${path}?${query}`;
}

const colours = () => ({ saturation: look.saturation, temperature: look.temperature });
const idOf = (photo) => `${state.key}/${photo.number}`;
const ofModel = (photo, model, what) => `${photo.number}/${encodeURIComponent(model)}/${what}`;

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
    const done = () => {
      image.busy = false;
      if (image.wanted && image.wanted !== current) next();
    };
    image.onload = () => (image.classList.remove("cz-missing"), done());
    image.onerror = () => (image.classList.add("cz-missing"), done(), explain(current));
    image.src = current;
  };
  next();
}

function unload(image) {
  image.wanted = null;
  image.busy = false;
  image.onload = image.onerror = null;
  image.removeAttribute("src");
}

const unreachable = "The app does not answer. Check the connection, then load the page again.";

async function explain(url) {
  const answer = await fetch(url).catch(() => null);
  if (answer?.ok) return;
  const body = await answer?.json().catch(() => null);
  complain(body?.error ?? unreachable);
}

// --- before and after ------------------------------------------------------------------------

function frame(box, photo) {
  const ratio = Math.min(Math.max(photo.size[0] / photo.size[1], 0.2), 5);
  box.style.aspectRatio = ratio;
  box.closest(".cz-card").style.setProperty("--ratio", ratio);
}

const sliders = new Set();

function moveTo(position) {
  view.position = Math.min(100, Math.max(0, position));
  for (const slider of sliders) slider.place();
}

function makeSlider() {
  const left = h("img", { draggable: "false" });
  const right = h("img", { draggable: "false" });
  const unsure = h("img", { class: "cz-unsure", alt: "", draggable: "false", hidden: true });
  const leftTag = h("span", { class: "cz-tag" });
  const rightTag = h("span", { class: "cz-tag cz-right" });
  const range = h("input", {
    type: "range", min: 0, max: 100, step: 2, class: "cz-range",
    oninput: () => moveTo(Number(range.value)),
  });
  const clip = h("div", { class: "cz-left" }, left);
  const line = h("div", { class: "cz-line", "aria-hidden": "true" }, h("span", { class: "cz-grip" }));
  const box = h("div", { class: "cz-slider" }, right, unsure, clip, line, leftTag, rightTag, range);
  const follow = (event) => {
    const { left: start, width } = box.getBoundingClientRect();
    moveTo(((event.clientX - start) / width) * 100);
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
      box.style.setProperty("--at", `${view.position}%`);
      range.value = view.position;
      range.setAttribute("aria-valuetext", `${Math.round(view.position)}% ${leftTag.textContent}`);
    },
  };
  sliders.add(slider);
  slider.place();
  return slider;
}

// --- cards -----------------------------------------------------------------------------------

const cards = new Map(); // by model, reused from photo to photo

function makeCard(model) {
  const slider = makeSlider();
  const bar = h("progress", { class: "cz-bar" });
  const wait = h("div", { class: "cz-wait" }, bar, h("span"));
  slider.box.append(wait);
  const time = h("span", { class: "cz-time" });
  const figures = h("dl", { class: "cz-figures", hidden: true });
  const error = h("p", { class: "cz-error", role: "alert", hidden: true });
  const download = h("a", { class: "cz-button cz-download", download: "", onclick: fetchFile },
    "Download");
  const node = h("article", { class: "cz-card", "data-model": model.name },
    h("header", {}, h("h3", {}, model.title), time, download), slider.box, error, figures);
  return { node, slider, wait, time, figures, error, download, photo: null };
}

function updateCard(card, photo, result) {
  const { slider } = card;
  const model = models.get(result.model);
  const done = result.state === "done";
  if (card.photo !== idOf(photo)) {
    for (const image of [slider.left, slider.right, slider.unsure]) unload(image);
    card.photo = idOf(photo);
  }
  frame(slider.box, photo);
  slider.leftTag.textContent = "Grey";
  slider.rightTag.textContent = "Colour";
  slider.left.alt = `${photo.name} in grey`;
  slider.right.alt = `${photo.name}, colorized by ${model.title}`;
  slider.range.setAttribute("aria-label", `${photo.name}: grey and colorized by ${model.title}`);
  slider.place();
  slider.box.classList.toggle("cz-undone", !done);
  card.node.dataset.state = result.state;
  show(card.error, result.state === "failed");
  card.error.textContent = result.error ?? "";
  show(card.wait, ["working", "waiting", "stopped"].includes(result.state));
  const [bar, words] = card.wait.children;
  if (result.state === "working") bar.removeAttribute("value");
  else bar.value = 0;
  show(bar, result.state !== "stopped");
  words.textContent = { working: "Colorizing…", waiting: "Waiting…", stopped: "Not done" }[result.state] ?? "";
  bar.setAttribute("aria-label", `${model.title}: ${words.textContent}`);
  card.time.textContent = done ? `${Number(result.seconds.toPrecision(2))} s` : "";
  card.time.title = done ? "Time that the model took" : "";
  show(card.download, done);
  load(slider.left, address(`${photo.number}/grey`, { size: null, side: side(slider.box, photo) }));
  if (done) updateColours(card, photo, model);
  else show(slider.unsure, false);
}

function updateColours(card, photo, model) {
  const { slider } = card;
  const own = model.overBins ? colours() : { saturation: look.saturation };
  const longest = moving ? Math.min(800, side(slider.box, photo)) : side(slider.box, photo);
  load(slider.right, address(ofModel(photo, model.name, "colour"), { ...own, side: longest }));
  const unsure = look.unsure && model.overBins;
  show(slider.unsure, unsure);
  if (unsure) load(slider.unsure, address(ofModel(photo, model.name, "uncertainty")));
  const [width, height] = photo.size;
  card.download.href = address(ofModel(photo, model.name, "file"), { ...own, format: look.format });
  card.download.title = `${width} × ${height} pixels`;
  card.download.setAttribute("aria-label", `Download ${photo.name}, colorized by ${model.title}`);
  show(card.figures, photo.hasColours);
  if (photo.hasColours && !moving) {
    updateFigures(card, address(ofModel(photo, model.name, "figures"), own));
  }
}

async function updateFigures(card, url) {
  if (card.measured === url) return;
  card.measured = url;
  const answer = await fetch(url).catch(() => null);
  if (!answer?.ok || card.measured !== url) return;
  const { psnr, ciede2000, colorfulness } = await answer.json();
  card.figures.replaceChildren(
    figure("PSNR", psnr == null ? "equal" : `${psnr.toFixed(1)} dB`,
      "Peak signal-to-noise ratio against the original: higher is closer"),
    figure("CIEDE2000", ciede2000.toFixed(1), "Mean colour difference: lower is closer"),
    figure("Colorfulness", colorfulness.toFixed(0), "Hasler and Süsstrunk: 0 is grey"));
}

function figure(name, value, meaning) {
  return h("div", { title: meaning }, h("dt", {}, name), h("dd", {}, value));
}

// The original of a colour upload: a card of its own.
const original = (() => {
  const image = h("img");
  const frame = h("div", { class: "cz-slider cz-still" }, image);
  const figures = h("dl", { class: "cz-figures" });
  const node = h("article", { class: "cz-card cz-original" },
    h("header", {}, h("h3", {}, "Original")), frame, figures);
  return { node, image, frame, figures };
})();

function updateOriginal(photo) {
  frame(original.frame, photo);
  original.image.alt = `${photo.name}, the original`;
  if (original.photo !== idOf(photo)) unload(original.image);
  original.photo = idOf(photo);
  load(original.image,
    address(`${photo.number}/original`, { size: null, side: side(original.frame, photo) }));
  original.figures.replaceChildren(
    figure("Colorfulness", photo.colorfulness.toFixed(0), "Hasler and Süsstrunk: 0 is grey"));
}

// Two models in one slider.
const pair = (() => {
  const slider = makeSlider();
  const choose = (name) => h("select", {
    class: "cz-select",
    "aria-label": name === "left" ? "Model on the left" : "Model on the right",
    onchange: (event) => ((view[name] = event.target.value), draw()),
  });
  const left = choose("left"), right = choose("right");
  const node = h("article", { class: "cz-card cz-pair" },
    h("header", {}, left, h("span", {}, "and"), right), slider.box);
  return { node, slider, left, right, photo: null };
})();

function updatePair(photo, done) {
  const { slider } = pair;
  if (!done.includes(view.left)) view.left = done[0];
  if (!done.includes(view.right) || view.right === view.left) {
    view.right = done.find((name) => name !== view.left);
  }
  for (const [name, select] of [["left", pair.left], ["right", pair.right]]) {
    select.replaceChildren(...done.map((model) =>
      h("option", { value: model, selected: model === view[name] }, models.get(model).title)));
    select.value = view[name];
  }
  if (pair.photo !== idOf(photo)) for (const image of [slider.left, slider.right]) unload(image);
  pair.photo = idOf(photo);
  frame(slider.box, photo);
  for (const name of ["left", "right"]) {
    const model = models.get(view[name]);
    slider[`${name}Tag`].textContent = model.title;
    slider[name].alt = `${photo.name}, colorized by ${model.title}`;
    const own = model.overBins ? colours() : { saturation: look.saturation };
    const longest = moving ? 800 : side(slider.box, photo);
    load(slider[name], address(ofModel(photo, model.name, "colour"), { ...own, side: longest }));
  }
  slider.range.setAttribute("aria-label", `${photo.name}: ${slider.leftTag.textContent} and ${slider.rightTag.textContent}`);
  slider.place();
}

// --- the page --------------------------------------------------------------------------------

const input = h("input", {
  type: "file", multiple: true, class: "cz-file", "aria-label": "Choose photos",
  accept: "image/*,.avif,.heic,.heif,.tif,.tiff,.bmp,.webp",
  onchange: () => (take([...input.files]), (input.value = "")),
});
const invitation = h("span", { class: "cz-big" });
const drop = h("label", { class: "cz-drop" }, input, invitation,
  h("span", { class: "cz-small" }, "or click to choose them, or paste one"));
const veil = h("div", { class: "cz-veil", hidden: true }, "Drop photos to colorize them");
const camera = h("button", { type: "button", class: "cz-button cz-camera", onclick: openCamera },
  "Use the camera");
show(camera, Boolean(navigator.mediaDevices?.getUserMedia));
const examples = h("section", { class: "cz-examples" }, h("h2", {}, "Or try one of these"),
  h("div", {}, ...props.examples.map((name, number) =>
    h("button", { type: "button", "aria-label": `Try the example: ${name}`, onclick: () => tryExample(number) },
      h("img", { src: `gradio_api/colorize/example/${number}`, alt: "" }), h("span", {}, name)))));

const count = h("span", { class: "cz-count" });
const progress = h("progress", { "aria-label": "Progress" });
const cancel = h("button", { type: "button", class: "cz-button", onclick: () => trigger("cancel", {}) },
  "Cancel");
const rest = h("button", { type: "button", class: "cz-button cz-main", onclick: () => trigger("rest", {}) },
  "Colorize");
const work = h("div", { class: "cz-work", hidden: true }, progress, count, cancel, rest);
const status = h("p", { class: "cz-hidden", role: "status", "aria-live": "polite" });
const complaint = h("p", { class: "cz-error", role: "alert", hidden: true });

const strip = h("nav", { class: "cz-strip", "aria-label": "Your photos" });
const title = h("h2", { class: "cz-name" });
const facts = h("p", { class: "cz-facts" });
const beside = h("button", { type: "button", onclick: () => ((view.compare = false), draw()) },
  "Side by side");
const both = h("button", { type: "button", onclick: () => ((view.compare = true), draw()) },
  "Compare two models");
const switcher = h("div", { class: "cz-switch", role: "group", "aria-label": "View" }, beside, both);
const format = h("select", {
  class: "cz-select", "aria-label": "File format of downloads",
  onchange: () => ((look.format = format.value), draw()),
}, h("option", { value: "keep" }, "Same format"), h("option", { value: "jpg" }, "JPEG"),
h("option", { value: "png" }, "PNG"));
const all = h("a", { class: "cz-button", download: "colorized.zip", onclick: fetchFile }, "Download all");
const remove = h("button", { type: "button", class: "cz-button cz-quiet",
  onclick: () => trigger("remove", { photo: view.photo }) }, "Remove");
const restart = h("button", { type: "button", class: "cz-button cz-quiet",
  onclick: () => trigger("restart", {}) }, "Start over");
const head = h("header", { class: "cz-head" }, h("div", { class: "cz-title" }, title, facts), switcher);
const grid = h("div", { class: "cz-cards" });
const notice = h("p", { class: "cz-error", hidden: true });
const foot = h("footer", { class: "cz-foot" }, format, all, h("span", { class: "cz-space" }), remove, restart);
const guess = h("p", { class: "cz-guess" }, "Colours are a guess of the model, not a record of what was there.");
const result = h("section", { class: "cz-result", "aria-label": "Result" }, strip, head, notice, grid, foot, guess);
const headline = h("header", { class: "cz-top" },
  h("div", {}, h("h1", {}, "Colorize"), h("p", {}, "Drop a black-and-white photo and see it in colour.")),
  h("div", { class: "cz-take" }, drop, camera));
const stage = h("div", { class: "cz" }, headline, complaint, work, status, examples, result, veil);
element.replaceChildren(stage);

function draw() {
  const photo = currentPhoto();
  const busy = Boolean(state.progress) || uploads.length > 0;
  tab.dataset.state = photo || uploads.length ? "result" : "empty";
  tab.dataset.busy = busy;
  tab.dataset.many = state.photos.length > 1;
  tab.dataset.bins = state.models.some((name) => models.get(name)?.overBins);
  invitation.textContent = tab.dataset.state === "empty" ? "Drop black-and-white photos here" : "Add photos";
  show(complaint, problem);
  complaint.textContent = problem;
  show(examples, !photo && !uploads.length);
  show(result, photo || uploads.length);
  lock(busy);
  drawWork();
  drawStrip();
  if (photo) drawPhoto(photo);
  else if (uploads.length) drawUpload(uploads[0]);
}

function currentPhoto() {
  const chosen = state.photos.find((photo) => photo.number === view.photo);
  return chosen ?? state.photos[0] ?? null;
}

function lock(busy) {
  drop.inert = busy;
  for (const button of [camera, remove, restart]) button.disabled = busy;
  for (const button of examples.querySelectorAll("button")) button.disabled = busy;
  for (const part of tab.querySelectorAll(".cz-starts-work")) {
    part.inert = busy;
    part.setAttribute("aria-disabled", busy);
  }
}

function drawWork() {
  const now = state.progress;
  const left = !now && !uploads.length && state.waiting;
  show(work, now || uploads.length || left);
  show(progress, !left);
  show(cancel, now);
  show(rest, left);
  if (now) {
    progress.max = now.total;
    progress.value = now.done;
    const photo = state.photos.find((other) => other.number === now.photo);
    const what = photo ? `${photo.name}, ${models.get(now.model).title}` : "waiting for its turn";
    count.textContent = `${Math.min(now.done + 1, now.total)} of ${now.total} · ${what}`;
  } else if (uploads.length) {
    progress.removeAttribute("value");
    count.textContent = `Taking in ${plural(uploads.length, "photo")}…`;
  } else if (left) {
    count.textContent = `Stopped. ${plural(left, "picture")} left.`;
  }
  rest.textContent = "Colorize the rest";
  const said = work.hidden ? (state.photos.length ? "Done" : "") : count.textContent;
  if (status.textContent !== said) status.textContent = said;
}

function drawStrip() {
  show(strip, state.photos.length > 1);
  const photo = currentPhoto();
  while (strip.children.length > state.photos.length) strip.lastChild.remove();
  state.photos.forEach((other, index) => {
    const button = strip.children[index] ?? strip.appendChild(
      h("button", { type: "button" }, h("img", { alt: "" }), h("span", { class: "cz-mark" })));
    const [image, mark] = button.children;
    const finished = other.cards.length && other.cards.every((card) => card.state === "done");
    const failed = other.error || other.cards.some((card) => card.state === "failed");
    const first = other.cards.find((card) => card.state === "done");
    button.onclick = () => ((view.photo = other.number), draw());
    button.title = other.name;
    button.setAttribute("aria-label",
      `${other.name}${failed ? ", has a problem" : finished ? ", done" : ""}`);
    button.setAttribute("aria-current", other === photo);
    button.dataset.state = failed ? "failed" : finished ? "done" : "open";
    mark.textContent = failed ? "!" : finished ? "✓" : "";
    if (other.error) unload(image);
    else if (first) load(image, address(ofModel(other, first.model, "colour"), { side: 400 }));
    else load(image, address(`${other.number}/grey`, { size: null, side: 400 }));
  });
}

function drawPhoto(photo) {
  title.textContent = photo.name;
  const size = photo.size ? [`${photo.size[0]} × ${photo.size[1]} pixels`, photo.format] : [];
  facts.textContent = [...size, ...photo.notices].join(" · ");
  show(notice, photo.error || !photo.cards.length);
  notice.textContent = photo.error || "Choose at least one model to see colours.";
  const done = photo.cards.filter((card) => card.state === "done").map((card) => card.model);
  const comparing = view.compare && done.length > 1;
  show(switcher, done.length > 1);
  beside.setAttribute("aria-pressed", !comparing);
  both.setAttribute("aria-pressed", comparing);
  const shown = comparing ? [pair] : photo.cards.map((card) => {
    if (!cards.has(card.model)) cards.set(card.model, makeCard(models.get(card.model)));
    return cards.get(card.model);
  });
  if (!comparing && photo.hasColours) shown.unshift(original);
  arrange(shown.map((card) => card.node), photo);
  if (comparing) updatePair(photo, done);
  else photo.cards.forEach((card) => updateCard(cards.get(card.model), photo, card));
  if (!comparing && photo.hasColours) updateOriginal(photo);
  const total = state.photos.flatMap((other) => other.cards).filter((card) => card.state === "done");
  show(all, total.length > 1);
  show(format, total.length > 0);
  all.href = address("all.zip", { ...colours(), format: look.format, models: state.models.join(",") });
  show(foot, true);
  show(guess, total.length > 0);
}

// While a file is on its way the photo is shown from this machine.
function drawUpload(file) {
  title.textContent = file.name;
  facts.textContent = "";
  for (const part of [notice, switcher, foot, guess]) show(part, false);
  arrange([file.node], null);
}

function arrange(nodes, photo) {
  const portrait = photo?.size && photo.size[1] > photo.size[0];
  const columns = nodes.length <= 3 ? nodes.length : portrait && nodes.length === 4 ? 4
    : nodes.length === 4 ? 2 : 3;
  grid.style.setProperty("--columns", columns);
  grid.dataset.count = nodes.length;
  const same = nodes.length === grid.children.length && nodes.every((node, i) => node === grid.children[i]);
  if (!same) grid.replaceChildren(...nodes);
}

// --- photos in -------------------------------------------------------------------------------

function complain(sentence) {
  problem = sentence;
  draw();
}

async function take(files) {
  if (!files.length || drop.inert) return;
  problem = "";
  uploads = files.map((file) => {
    const url = URL.createObjectURL(file);
    const image = h("img", { src: url, alt: `${file.name} in grey`, onerror: () => image.remove() });
    return { name: file.name, url, node: h("article", { class: "cz-card cz-local" }, image) };
  });
  draw();
  const paths = [];
  for (const file of files) {
    try {
      paths.push((await upload(file)).path);
    } catch (error) {
      problem = /size|large/i.test(String(error)) || file.size > props.most_bytes
        ? `${file.name} is larger than ${Math.round(props.most_bytes / 2 ** 20)} MB. Save it smaller, then drop it again.`
        : `${file.name} could not be sent. Check the connection, then drop it again.`;
    }
  }
  if (!paths.length) endUploads();
  else trigger("photos", { paths });
  draw();
}

function tryExample(number) {
  problem = "";
  trigger("example", { number });
}

function endUploads() {
  for (const file of uploads) URL.revokeObjectURL(file.url);
  uploads = [];
}

const pictures = (list) => [...(list ?? [])].filter((file) => file.size || file.type);
const visible = () => element.offsetParent !== null;

document.addEventListener("paste", (event) => {
  const files = pictures(event.clipboardData?.files);
  if (!files.length || !visible()) return;
  event.preventDefault();
  take(files);
});
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files") || !visible()) return;
    event.preventDefault();
    show(veil, !drop.inert);
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) show(veil, false);
});
document.addEventListener("drop", (event) => {
  show(veil, false);
  const files = pictures(event.dataTransfer?.files);
  if (!files.length || !visible()) return;
  event.preventDefault();
  take(files);
});

async function openCamera() {
  const video = h("video", { autoplay: true, playsinline: true, muted: true });
  const shoot = h("button", { type: "button", class: "cz-button cz-main", disabled: true }, "Take the photo");
  const close = h("button", { type: "button", class: "cz-button" }, "Cancel");
  const words = h("p", {}, "Waiting for the camera…");
  const dialog = h("dialog", { class: "cz-dialog", "aria-label": "Camera" }, video, words, h("div", {}, shoot, close));
  let stream = null;
  close.onclick = () => dialog.close();
  dialog.onclose = () => (stream?.getTracks().forEach((track) => track.stop()), dialog.remove(), camera.focus());
  shoot.onclick = () => {
    const canvas = h("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => {
      dialog.close();
      take([new File([blob], "camera.jpg", { type: "image/jpeg" })]);
    }, "image/jpeg", 0.95);
  };
  stage.append(dialog);
  dialog.showModal();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1920, height: 1080 } });
    if (!dialog.open) return stream.getTracks().forEach((track) => track.stop());
    video.srcObject = stream;
    video.onloadeddata = () => ((shoot.disabled = false), (words.textContent = ""));
  } catch {
    show(video, false);
    words.textContent = "The camera cannot be used here. Allow it in the browser, or choose a file.";
  }
}

// --- files out -------------------------------------------------------------------------------

// The full-size file is made on demand, so the button says that it works, and why if it cannot.
const pixelsOfAll = () => state.photos.filter((photo) => photo.size).reduce(
  (sum, { size: [width, height] }) => sum + width * height * state.models.length, 0);

async function fetchFile(event) {
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
    const name = /filename\*?=(?:utf-8'')?"?([^";]+)/i.exec(answer.headers.get("Content-Disposition"))[1];
    const url = URL.createObjectURL(await answer.blob());
    h("a", { href: url, download: decodeURIComponent(name) }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  } catch (error) {
    complain(error instanceof TypeError ? unreachable : error.message);
  }
  link.textContent = words;
  link.removeAttribute("aria-busy");
}

// --- what comes from the app -----------------------------------------------------------------

let settle = 0;
window.addEventListener("colorize-adjust", ({ detail: [what, value] }) => {
  look[what] = value;
  moving = what !== "unsure";
  draw();
  clearTimeout(settle);
  settle = setTimeout(() => ((moving = false), draw()), 400);
});

window.addEventListener("colorize-failed", () => {
  endUploads();
  state = { ...state, progress: null };
  complain("That did not work: the app is busy or was restarted. Try again in a minute.");
});

watch("value", () => {
  if (!props.value) return;
  state = props.value;
  if (state.newest !== view.newest) {
    view.newest = state.newest;
    view.photo = state.newest;
  }
  if (!state.taking) endUploads();
  draw();
});

let resized = 0;
new ResizeObserver(() => {
  clearTimeout(resized);
  resized = setTimeout(draw, 200);
}).observe(element);

draw();
