// On what the study is looked at: what the page can know of the window, the screen and the pointer.

const GAMUTS = ["rec2020", "p3", "srgb"];
const POINTERS = ["fine", "coarse", "none"];

export class Device {
  /** What is not told yet, as the server takes it: {device}, or nothing where it is as before. */
  news() {
    const device = deviceNow();
    const said = JSON.stringify(device);
    if (said === this.told) return {};
    this.pending = said;
    return { device };
  }

  /** What `news` said has arrived. */
  arrived() {
    this.told = this.pending ?? this.told;
  }
}

function deviceNow() {
  return {
    viewport_width: innerWidth,
    viewport_height: innerHeight,
    screen_width: screen.width,
    screen_height: screen.height,
    device_pixel_ratio: devicePixelRatio,
    pointer: POINTERS.find((pointer) => matches(`(pointer: ${pointer})`)) ?? null,
    color_gamut: GAMUTS.find((gamut) => matches(`(color-gamut: ${gamut})`)) ?? null,
    color_scheme: matches("(prefers-color-scheme: dark)") ? "dark" : "light",
    forced_colors: matches("(forced-colors: active)"),
    visibility: document.hidden ? "hidden" : "visible",
    fullscreen: Boolean(document.fullscreenElement),
  };
}

const matches = (query) => matchMedia(query).matches;
