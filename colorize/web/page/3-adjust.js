// What is adjusted changes the addresses of pictures alone: the page does that by itself.

let settle = 0;
// Small previews until what is changed rests.
function follow() {
  moving = true;
  draw();
  peekAtPhoto();
  clearTimeout(settle);
  settle = setTimeout(() => ((moving = false), draw()), 400);
}

// Each model over bins starts with its own temperature. The slider shows that of the first one,
// and where it stands there, each model has its own.
let ownTemperature = null;

window.addEventListener("colorize-adjust", ({ detail: [what, value] }) => {
  const isOwn = what === "temperature" && Math.abs(value - ownTemperature) < 0.005;
  const wanted = isOwn ? null : value;
  if (look[what] === wanted) return;
  look[what] = wanted;
  if (what !== "unsure") return follow();
  draw();
  peekAtPhoto();
});

function updateTemperature() {
  const own = state.models.map((name) => models.get(name)).find((model) => model?.overBins);
  if (!own || own.temperature === ownTemperature) return;
  ownTemperature = own.temperature;
  if (look.temperature === null) resetTemperature();
}

const resetTemperature = () => setRange(".cz-bins input[type=range]", ownTemperature);

function setRange(selector, value) {
  const range = tab.querySelector(`.cz-adjust ${selector}`);
  if (!range || Number(range.value) === value) return;
  range.value = value;
  range.dispatchEvent(new Event("input", { bubbles: true }));
}

// Gradio's own button goes back to the value that the slider was made with.
tab.addEventListener("click", (event) => {
  if (!event.target.closest(".cz-bins [data-testid=reset-button]") || ownTemperature === null) return;
  event.stopPropagation();
  resetTemperature();
}, true);
