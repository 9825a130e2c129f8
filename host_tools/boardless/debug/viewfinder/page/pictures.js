// Bytes to canvases: grey pictures, and the channels of a layer side by side.
export function drawGrey(canvas, image) {
  paint(canvas, image.w, image.h, (x, y) => image.data[y * image.w + x]);
}

// Several channels are colours where there are three, else the first is shown.
export function drawInput(canvas, image) {
  const { w, h, c, data } = image;
  const value = (x, y, channel) => signed(data[(y * w + x) * c + channel]);
  paint(canvas, w, h, (x, y) => (c === 3 ? [0, 1, 2].map((i) => value(x, y, i)) : value(x, y, 0)));
}

export function drawChannels(canvas, image) {
  const { w, h, c, data } = image;
  const columns = Math.ceil(Math.sqrt((c * h) / w));
  const rows = Math.ceil(c / columns);
  const gap = w > 2 ? 1 : 0;
  // From the layer's least to its most: few layers use all of int8.
  const values = new Int8Array(data.buffer, data.byteOffset, data.length);
  const least = values.reduce((a, b) => Math.min(a, b), 127), most = values.reduce((a, b) => Math.max(a, b), -128);
  const bright = (value) => ((value - least) * 255) / Math.max(most - least, 1);
  paint(canvas, columns * (w + gap) - gap, rows * (h + gap) - gap, (x, y) => {
    const column = Math.floor(x / (w + gap)), row = Math.floor(y / (h + gap));
    const px = x - column * (w + gap), py = y - row * (h + gap), channel = row * columns + column;
    return channel < c && px < w && py < h ? bright(values[(py * w + px) * c + channel]) : [24, 40, 64];
  });
}

export function drawLit(canvas, image) {
  paint(canvas, image.w, image.h, (x, y) => (image.data[y * image.w + x] ? [140, 220, 255] : [0, 0, 0]));
}

// int8 as the kernels have it: -128 is black.
const signed = (byte) => (byte + 128) & 255;

function paint(canvas, width, height, at) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  let place = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = at(x, y);
      const [red, green, blue] = Array.isArray(value) ? value : [value, value, value];
      pixels.data.set([red, green, blue, 255], place);
      place += 4;
    }
  }
  context.putImageData(pixels, 0, 0);
}
