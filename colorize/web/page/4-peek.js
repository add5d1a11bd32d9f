// Where a setting and the photo do not share the screen, as on a phone, a small photo comes along.

const peekColour = h("img", { alt: "" });
const peekUnsure = h("img", { class: "cz-unsure", alt: "" });
const peek = h("div", { class: "cz-peek", "aria-hidden": "true", hidden: true }, peekColour, peekUnsure);
let peekEnd = 0;

function peekAtPhoto() {
  const photo = currentPhoto();
  const slider = photo && adjusted(photo);
  if (!slider?.right.wanted) return;
  const { top, bottom } = slider.box.getBoundingClientRect();
  const seen = Math.min(bottom, window.innerHeight) - Math.max(top, 0);
  show(peek, seen < (bottom - top) / 2);
  if (peek.hidden) return;
  peek.style.setProperty("--ratio", slider.box.style.aspectRatio);
  const hand = document.activeElement.getBoundingClientRect();
  peek.dataset.below = hand.bottom < window.innerHeight / 2; // not over what is adjusted
  load(peekColour, slider.right.wanted);
  show(peekUnsure, !slider.unsure.hidden);
  if (!peekUnsure.hidden) load(peekUnsure, slider.unsure.wanted);
  clearTimeout(peekEnd);
  peekEnd = setTimeout(() => show(peek, false), 2500);
}

// The picture that follows most of the settings.
function adjusted(photo) {
  const done = photo.cards.filter((card) => card.state === "done").map((card) => card.model);
  if (view.compare && done.length > 1) return pair.slider;
  return cards.get(done.find((name) => models.get(name).overBins) ?? done[0])?.slider;
}
