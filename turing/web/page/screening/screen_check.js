// What the screen shows: steps of grey near black and near white, and a step of saturation, each
// as a square in a larger one; and a word on night modes, which tint all colours.

import { element } from "../dom.js";

const SIDES = ["left", "up", "right", "down"];
const PATCHES = ["dark", "light", "saturation"];

/**
 * Asks where the small squares are; resolves to which were seen, {dark, light, saturation}.
 * @param {import("../screens.js").Screens} screens
 * @param {() => void} leave
 */
export function checkScreen(screens, say, leave) {
  const sides = PATCHES.map(() => SIDES[Math.floor(Math.random() * SIDES.length)]);
  return new Promise((resolve) => {
    const form = element(
      "form",
      {
        submit: (event) => {
          event.preventDefault();
          form.querySelector(".primary").disabled = true;
          const said = new FormData(form);
          const seen = PATCHES.map((patch, index) => [patch, said.get(patch) === sides[index]]);
          resolve(Object.fromEntries(seen));
        },
      },
      ...PATCHES.map((patch, index) => patchQuestion(say, patch, sides[index], index + 1)),
      element(
        "div",
        { class: "actions" },
        element("button", { class: "primary" }, say("continue")),
        screens.button("leave", leave, "quiet"),
      ),
    );
    const [tinted, ask] = [say("screen_check_tint"), say("screen_check_text")];
    screens.screen(
      say("screen_check"),
      element("p", { class: "note" }, tinted),
      element("p", {}, ask),
      form,
    );
  });
}

function patchQuestion(say, patch, side, number) {
  const choices = [...SIDES, "none"].map((value) => {
    const box = element("input", { type: "radio", name: patch, value, required: true });
    const name = say(value === "none" ? "screen_check_none" : `plate_${value}`);
    return element("label", { class: "choice" }, box, name);
  });
  return element(
    "fieldset",
    { class: "question patch-question" },
    element("legend", {}, say("screen_check_ask", { number })),
    element("div", { class: `patch ${patch} ${side}`, "aria-hidden": "true" }),
    element("div", { class: "sides" }, ...choices),
  );
}
