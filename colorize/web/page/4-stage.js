// The elements of the stage, and how they show the state.

const input = h("input", {
  type: "file", multiple: true, class: "cz-file", "aria-label": "Choose photos",
  accept: "image/*,.avif,.heic,.heif,.tif,.tiff,.bmp,.webp",
  onchange: () => (take([...input.files]), (input.value = "")),
});
const invitation = h("span", { class: "cz-big" });
const drop = h("label", { class: "cz-drop" }, input, invitation,
  h("span", { class: "cz-small" }, touched ? "" : "or click to choose them, or paste one"));
const veil = h("div", { class: "cz-veil", hidden: true }, "Drop photos to colorize them");
const camera = h("button", { type: "button", class: "cz-button cz-camera", onclick: openCamera },
  "Use the camera");
show(camera, Boolean(navigator.mediaDevices?.getUserMedia));
const examples = h("section", { class: "cz-examples" }, h("h2", {}, "Or try one of these"),
  h("div", {}, ...props.examples.map((name, number) =>
    h("button", {
      type: "button", "aria-label": `Try the example: ${name}`,
      onclick: () => tryExample(number),
    }, h("img", { src: exampleAddress(number), alt: "" }), h("span", {}, name)))));

const count = h("span", { class: "cz-count" });
const progress = h("progress", { "aria-label": "Progress" });
const cancel = h("button", {
  type: "button", class: "cz-button", onclick: () => trigger("cancel", {}),
}, "Cancel");
const rest = h("button", {
  type: "button", class: "cz-button cz-main", onclick: () => trigger("rest", {}),
}, "Colorize the rest");
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
const saveAs = h("label", { class: "cz-save-as" }, "Save as", format);
const all = h("a", { class: "cz-button", download: "colorized.zip", onclick: fetchFile },
  "Download all");
const remove = h("button", { type: "button", class: "cz-button cz-quiet",
  onclick: () => trigger("remove", { photo: currentPhoto().number }) }, "Remove this photo");
const restart = h("button", { type: "button", class: "cz-button cz-quiet",
  onclick: () => trigger("restart", {}) }, "Start over");
const head = h("header", { class: "cz-head" },
  h("div", { class: "cz-title" }, title, facts), switcher);
const grid = h("div", { class: "cz-cards" });
const notice = h("p", { class: "cz-error", hidden: true });
const foot = h("footer", { class: "cz-foot" },
  saveAs, all, h("span", { class: "cz-space" }), remove, restart);
const guess = h("p", { class: "cz-guess" },
  "Colours are a guess of the model, not a record of what was there.");
const privacy = h("p", { class: "cz-guess" },
  "Photos are sent to this app alone, which deletes them within an hour after you leave.");
const result = h("section", { class: "cz-result", "aria-label": "Result" },
  strip, head, notice, grid, foot, guess, hintStatus);
const headline = h("header", { class: "cz-top" },
  h("div", {}, h("h1", {}, "Colorize"),
    h("p", {}, `${touched ? "Choose" : "Drop"} a black-and-white photo and see it in colour.`)),
  h("div", { class: "cz-take" }, drop, camera), work);
const stage = h("div", { class: "cz" },
  headline, complaint, status, examples, result, privacy, peek, veil);
element.replaceChildren(stage);

function draw() {
  const focused = document.activeElement, seen = focused.matches(":focus-visible");
  const photo = currentPhoto();
  const busy = Boolean(state.progress || state.taking || uploads.length || kept);
  tab.dataset.state = photo || uploads.length ? "result" : "empty";
  tab.dataset.many = state.photos.length > 1;
  tab.dataset.bins = state.models.some((name) => models.get(name)?.overBins);
  const empty = tab.dataset.state === "empty";
  invitation.textContent = !empty ? "Add photos"
    : touched ? "Choose black-and-white photos" : "Drop black-and-white photos here";
  show(complaint, problem);
  complaint.textContent = problem;
  show(examples, empty);
  show(result, !empty);
  for (const label of tab.querySelectorAll(".cz-models label")) { // cut to a line beside a photo
    label.title ||= label.textContent.split("\n")[1] ?? "";
  }
  lock(busy);
  show(headline.querySelector(".cz-take"), !busy || empty);
  drawWork();
  drawStrip();
  drawOthers();
  updateTemperature();
  if (uploads.length) drawUpload(uploads[0]);
  else if (photo) drawPhoto(photo);
  keepFocus(focused, seen, busy);
}

// What is new stands at the top.
function toStart() {
  if (headline.getBoundingClientRect().top < 0) headline.scrollIntoView();
}

// Work hides, locks and removes what may have the focus: it comes back, or goes to the start.
let lost = null;
let wasSeen = false;

function keepFocus(focused, seen, busy) {
  if (tab.contains(focused) && !isUsable(focused)) [lost, wasSeen] = [focused, seen];
  const isElsewhere = focused !== lost && focused !== document.body;
  if (!lost || (busy && !isElsewhere && !isUsable(lost))) return;
  const next = isUsable(lost) ? lost : nearby(lost);
  if (!isElsewhere) next.focus({ preventScroll: true, focusVisible: wasSeen });
  lost = null;
}

function nearby(node) {
  for (let around = node.parentElement; around && around !== tab; around = around.parentElement) {
    const found = [...around.querySelectorAll("button, a[href], select, input")].find(isUsable);
    if (found) return found;
  }
  return input;
}

const isUsable = (node) =>
  node.checkVisibility({ visibilityProperty: true }) && !node.disabled && !node.closest("[inert]");

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
  const taking = state.taking || uploads.length > 0 || kept;
  const left = !now && !taking && state.waiting;
  show(work, now || taking || left);
  work.dataset.waits = Boolean(left);
  show(progress, !left);
  show(cancel, now);
  show(rest, left);
  if (now) {
    progress.max = now.total;
    progress.value = now.done;
    const photo = state.photos.find((other) => other.number === now.photo);
    const what = photo ? `${photo.name}, ${models.get(now.model).title}` : "waiting for its turn";
    count.textContent = `${Math.min(now.done + 1, now.total)} of ${now.total} · ${what}`;
  } else if (taking) {
    progress.removeAttribute("value");
    count.textContent = sent < uploads.length && uploads.length > 1
      ? `Sending ${sent + 1} of ${uploads.length}…`
      : kept ? "Bringing your photos back…" : "Opening…";
  } else if (left) {
    count.textContent = `Stopped. ${plural(left, "picture")} left.`;
  }
  const said = work.hidden ? (state.photos.length ? "Done" : "") : count.textContent;
  if (status.textContent !== said) status.textContent = said;
}

function drawStrip() {
  const photos = [...state.photos, ...uploads];
  const photo = uploads[0] ?? currentPhoto();
  show(strip, photos.length > 1);
  while (strip.children.length > photos.length) strip.lastChild.remove();
  photos.forEach((other, index) => {
    const button = strip.children[index] ?? strip.appendChild(
      h("button", { type: "button" }, h("img", { alt: "" }), h("span", { class: "cz-mark" }),
        h("progress", { "aria-hidden": "true" })));
    const [image, mark, bar] = button.children;
    const ready = other.cards.filter((card) => card.state === "done").length;
    const finished = other.cards.length > 0 && ready === other.cards.length;
    const failed = other.error || other.cards.some((card) => card.state === "failed");
    const first = other.cards.find((card) => card.state === "done");
    button.onclick = () => ((view.photo = other.number), draw());
    button.disabled = Boolean(other.url);
    button.title = other.name;
    button.setAttribute("aria-label",
      `${other.name}${failed ? ", has a problem" : finished ? ", done" : ""}`);
    button.setAttribute("aria-current", other === photo);
    button.dataset.state = failed ? "failed" : finished ? "done" : "open";
    mark.textContent = failed ? "!" : finished ? "✓" : "";
    show(bar, state.progress && !finished && !failed);
    bar.max = Math.max(1, other.cards.length);
    bar.value = ready;
    show(image, !other.error);
    if (other.error) unload(image);
    else if (other.url) load(image, other.url);
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
  show(switcher, photo.cards.length > 1);
  beside.disabled = both.disabled = done.length < 2;
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
  show(saveAs, done.length > 0 || total.length > 1);
  const hints = state.photos.map((other) => [`hints-${other.number}`, written(other)]);
  all.href = address("all.zip", {
    ...colours(), format: look.format, models: state.models.join(","), ...Object.fromEntries(hints),
  });
  show(foot, true);
  show(guess, total.length > 0);
}

// While a file is on its way the photo is shown from this machine, where it will stand.
function drawUpload(file) {
  title.textContent = file.name;
  facts.textContent = "";
  for (const part of [notice, switcher, foot, guess]) show(part, false);
  arrange([file.node], file, tab.querySelectorAll(".cz-models :checked").length || 1);
}

function arrange(nodes, photo, number = nodes.length) {
  const portrait = photo.size && photo.size[1] > photo.size[0];
  const columns = number <= 3 ? number : portrait && number === 4 ? 4 : number === 4 ? 2 : 3;
  grid.style.setProperty("--columns", columns);
  const same = nodes.length === grid.children.length && nodes.every((node, i) => node === grid.children[i]);
  if (!same) grid.replaceChildren(...nodes);
}
