// What is new: the app says that there is something, and the page asks for what has changed.

import { placeOf } from "./pictures.js";
import { models, state } from "./state.js";

const TRIES = 4;
const PAUSE = 700; // milliseconds after a try that failed

let wanted = null; // {key, news}: the newest that was announced
let asking = false;
const left = new Set(); // keys of photos that were given up, of which news may be on their way

/** told(before): the state is new; before: the files that it had. failed(): the app is gone. */
export function hear(news, told, failed) {
  if (!news || left.has(news.key)) return;
  if (wanted && wanted.key !== news.key) left.add(wanted.key);
  else if (wanted?.news > news.news) return; // overtaken
  wanted = news;
  if (!asking) askAll(told, failed);
}

async function askAll(told, failed) {
  asking = true;
  let tries = 0;
  while (wanted.news && (wanted.key !== state.key || wanted.news > state.news)) {
    const { key } = wanted;
    const answer = await fetchNews(key, key === state.key ? state.news : 0);
    if (answer) {
      tries = 0;
      const before = key === state.key ? state.offered : 0;
      if (take(answer)) told(before);
    } else if (key !== wanted.key) tries = 0; // of photos that are gone by now
    else if ((tries += 1) < TRIES) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    else {
      wanted = { key, news: 0 };
      failed();
    }
  }
  asking = false;
}

async function fetchNews(key, since) {
  const answer = await fetch(placeOf(key, `news?since=${since}`)).catch(() => null);
  return answer?.ok ? answer.json().catch(() => null) : null;
}

// Photos that have not changed stay as they were told before.
function take({ numbers, photos, known, ...rest }) {
  if (rest.key !== wanted?.key) return false;
  const former = rest.key === state.key ? state.photos : [];
  const all = new Map([...former, ...photos].map((photo) => [photo.number, photo]));
  Object.assign(state, rest, { photos: numbers.map((number) => all.get(number)) });
  for (const model of known) models.set(model.name, model);
  return true;
}
