// Photos in: chosen, dropped, pasted, taken. Files out. News from the app.

function complain(sentence) {
  problem = sentence;
  draw();
}

async function take(files) {
  if (!files.length || drop.inert) return;
  problem = "";
  uploads = files.map((file) => local(file.name, URL.createObjectURL(file)));
  sent = 0;
  draw();
  toStart();
  const paths = [];
  for (const file of files) {
    try {
      paths.push((await upload(file)).path);
    } catch (error) {
      const tooLarge = /size|large/i.test(String(error)) || file.size > props.most_bytes;
      problem = tooLarge
        ? `${file.name} is too large to be sent. Save it smaller, then drop it again.`
        : `${file.name} could not be sent. Check the connection, then drop it again.`;
    }
    sent += 1;
    draw();
  }
  if (!paths.length) endUploads();
  else trigger("photos", { paths });
  draw();
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
    draw();
  };
  image.onerror = () => show(box, false); // a format that browsers do not know
  return photo;
}

function tryExample(number) {
  problem = "";
  uploads = [local(props.examples[number], exampleAddress(number))];
  sent = 1;
  draw();
  toStart();
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
  stage.append(dialog);
  dialog.showModal();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1920, height: 1080 } });
    if (!dialog.open) return stop();
    video.srcObject = stream;
    video.onloadeddata = () => ((shoot.disabled = false), (words.textContent = ""));
  } catch {
    show(video, false);
    words.textContent = "The camera cannot be used here. Allow it in the browser, or choose a file.";
  }
}

const pixelsOfAll = () => state.photos.filter((photo) => photo.size).reduce(
  (sum, { size: [width, height] }) => sum + width * height * state.models.length, 0);

// The full-size file is made on demand, so the button says that it works, and why if it cannot.
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

window.addEventListener("colorize-failed", () => {
  endUploads();
  kept = null;
  state = { ...state, progress: null, taking: false };
  complain("That did not work: the app is busy or was restarted. Try again in a minute.");
});

function receive() {
  if (!props.value) return;
  state = props.value;
  const isNew = state.newest !== view.newest || !state.photos.length;
  if (state.newest !== view.newest) {
    view.newest = state.newest;
    view.photo = state.newest;
    endUploads(); // the app shows it now
  }
  if (!state.taking) endUploads();
  if (kept) restore();
  draw();
  if (isNew && !uploads.length) toStart();
}
watch("value", receive);

let resized = 0;
new ResizeObserver(() => {
  clearTimeout(resized);
  resized = setTimeout(draw, 200);
}).observe(element);

draw();
receive();
if (kept) askForPhotos();
