// A reload loses nothing: the app keeps the photos for a while, this tab what was done to them.

import { setUnsure } from "./look/settings.js";
import {
  adjustLook, app, change, currentPhoto, look, lookOf, state, strokesOf, view,
} from "./state.js";
import { bringBack, filmToKeep } from "./view/film.js";

const KEPT = "colorize";

/** What an earlier visit had, {key, chosen, size, strokes, looks, look, advanced, photo, film}. */
export let kept = recall();

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return null; // a browser that keeps nothing for a frame of another site
  }
}

// What tells a photo within its session.
const nameOf = ({ number, isCropped }) => ({ number, isCropped });

function remember() {
  if (kept) return;
  const { key, models: chosen, size } = state;
  const strokes = state.photos.map((photo) => [nameOf(photo), strokesOf(photo).list]);
  const looks = state.photos.map((photo) => [nameOf(photo), lookOf(photo)]);
  const { advanced } = view, photo = currentPhoto()?.number;
  const film = filmToKeep();
  const all = { key, chosen, size, strokes, looks, look, advanced, photo, film };
  try {
    if (state.photos.length || film) sessionStorage.setItem(KEPT, JSON.stringify(all));
    else sessionStorage.removeItem(KEPT);
  } catch { /* as above */ }
}

window.addEventListener("pagehide", remember);
document.addEventListener("visibilitychange", () => document.hidden && remember());

/** Asks the app for the photos of the earlier visit; they come as news. */
export const askForPhotos = () =>
  app.trigger("resume", { key: kept.key, models: kept.chosen, size: kept.size });

/** Goes on without the earlier visit. */
export const forget = () => (kept = null);

/** Once the app's answer is in `state`: what was done to the photos, or that they are gone. */
export function restore() {
  const { key, strokes = [], looks = [], look: common, advanced, photo, film } = kept;
  forget();
  if (state.key !== key) {
    view.problem = "Your photos are no longer here: the page was away for too long, "
      + "or the app was started anew. Drop them again.";
    return;
  }
  Object.assign(view, { photo, advanced });
  if (film) bringBack(film);
  for (const [name, list] of strokes) {
    strokesOf(name).list = list.filter((stroke) => stroke.colour);
  }
  for (const [name, own] of looks) adjustLook(name, own);
  look.format = common.format;
  look.names = common.names ?? "";
  setUnsure(common.unsure);
}
