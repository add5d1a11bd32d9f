// A reload loses nothing: the app keeps the photos for a while, this tab what was done to them.

const KEPT = "colorize";
let kept = recall(); // until the photos are back

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return null; // a browser that keeps nothing for a frame of another site
  }
}

function remember() {
  if (kept) return;
  const { key, models: chosen, size } = state;
  const hints = state.photos.map((photo) => [photo.number, hintsOf(photo).list]);
  const all = { key, chosen, size, hints, look, photo: currentPhoto()?.number };
  try {
    if (state.photos.length) sessionStorage.setItem(KEPT, JSON.stringify(all));
    else sessionStorage.removeItem(KEPT);
  } catch { /* as above */ }
}

window.addEventListener("pagehide", remember);
document.addEventListener("visibilitychange", () => document.hidden && remember());

const askForPhotos = () => trigger("resume", { key: kept.key, models: kept.chosen, size: kept.size });

function restore() {
  const { key, hints, look: settings, photo } = kept;
  kept = null;
  if (state.key !== key) {
    problem = "Your photos are no longer here: the page was away for too long, "
      + "or the app was started anew. Drop them again.";
    return;
  }
  view.photo = photo;
  for (const [number, list] of hints) hintsOf({ number }).list = list.filter((hint) => hint.colour);
  Object.assign(look, { seed: settings.seed, format: settings.format });
  format.value = look.format;
  draw(); // the temperature of the models that are back, before that of the visitor
  const { saturation, temperature, unsure } = settings;
  setRange("input[type=range]", saturation);
  if (temperature !== null) setRange(".cz-bins input[type=range]", temperature);
  if (unsure) tab.querySelector(".cz-bins input[type=checkbox]")?.click();
}
