// What takes a picture's place for the eye, so that its afterimage shows nothing more.

const GRAINS = [48, 24, 12, 6, 3]; // pixels: coarse and fine edges, as pictures have them

/** Fills a canvas with coloured noise of several grains, the same for whatever was shown. */
export function fillWithNoise(canvas, width, height) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  for (const [place, grain] of GRAINS.entries()) {
    const small = document.createElement("canvas");
    small.width = Math.ceil(width / grain);
    small.height = Math.ceil(height / grain);
    const pixels = new ImageData(small.width, small.height);
    for (let at = 0; at < pixels.data.length; at += 1) {
      pixels.data[at] = at % 4 === 3 ? 255 : Math.random() * 256;
    }
    small.getContext("2d").putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = false;
    context.globalAlpha = 1 / (place + 1); // the mean of all grains in the end
    context.drawImage(small, 0, 0, small.width * grain, small.height * grain);
  }
}
