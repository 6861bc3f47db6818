// Photographs as Float32Array [3, height, width] in [0, 1], and what is done to them.

const SEED = 7;

/** The centred square of a canvas source, resized to that side. */
export function square(source, side) {
  return drawn(source, side / Math.min(source.width, source.height), side, side);
}

/** All of a canvas source but what is over a multiple of pixels a side, at most so many pixels in all. */
export function whole(source, most, multiple) {
  const scale = Math.min(1, Math.sqrt(most / (source.width * source.height)));
  const side = (length) => Math.max(1, Math.floor((length * scale) / multiple)) * multiple;
  return drawn(source, scale, side(source.width), side(source.height));
}

function drawn(source, scale, width, height) {
  const [w, h] = [source.width, source.height];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  const [sw, sh] = [width / scale, height / scale];
  context.drawImage(source, (w - sw) / 2, (h - sh) / 2, sw, sh, 0, 0, width, height);
  return { height, width, data: planes(context.getImageData(0, 0, width, height)) };
}

function planes({ data, width, height }) {
  const count = width * height;
  const out = new Float32Array(3 * count);
  for (let i = 0; i < count; i++)
    for (let c = 0; c < 3; c++) out[c * count + i] = data[4 * i + c] / 255;
  return out;
}

/** Bytes for a canvas. */
export function toImageData({ data, width, height }) {
  const count = width * height;
  const out = new ImageData(width, height);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) out.data[4 * i + c] = Math.round(255 * data[c * count + i]); // clamps
    out.data[4 * i + 3] = 255;
  }
  return out;
}

/** Standard normal numbers, the same at every call: mulberry32 and Box-Muller, as in live_assets.py. */
export function normal(count) {
  const uniform = (i) => {
    const a = (SEED + Math.imul(i + 1, 0x6d2b79f5)) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const out = new Float32Array(count);
  for (let k = 0; k < count; k++)
    out[k] = Math.sqrt(-2 * Math.log(1 - uniform(2 * k))) * Math.cos(2 * Math.PI * uniform(2 * k + 1));
  return out;
}

/** With noise of sigma grey levels of 255, not clipped. */
export function noisy({ data, height, width }, sigma) {
  const noise = sigma ? normal(data.length) : null;
  return { height, width, data: noise ? data.map((v, i) => v + (sigma / 255) * noise[i]) : data };
}

/** Blurred by a Gaussian of rho pixels, 21 x 21, borders replicated, as degradations.gaussian_blur. */
export function blurred(picture, rho) {
  if (!rho) return picture;
  const taps = Array.from({ length: 21 }, (_, i) => Math.exp(-(((i - 10) / rho) ** 2) / 2));
  const place = (i, length) => Math.min(length - 1, Math.max(0, i));
  return filtered(filtered(picture, taps, 1, place), taps, 1, place);
}

/** Made smaller by a whole even number: bicubic, borders mirrored, rounded to 8 bits, as
 *  resampling.low_resolution. */
export function reduced(picture, scale) {
  if (scale === 1) return picture;
  const taps = Array.from({ length: 4 * scale }, (_, i) => cubic((i + 0.5) / scale - 2));
  const place = (i, length) => (i < 0 ? -1 - i : i < length ? i : 2 * length - 1 - i);
  const small = filtered(filtered(picture, taps, scale, place), taps, scale, place);
  return { ...small, data: small.data.map((v) => Math.round(255 * Math.min(1, Math.max(0, v))) / 255) };
}

function cubic(x) {
  const d = Math.abs(x);
  return d <= 1 ? 1.5 * d ** 3 - 2.5 * d ** 2 + 1 : -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2;
}

/** Rows filtered by taps that are centred on every `step` pixels, and the result transposed: done twice,
 *  columns are filtered too. place: the pixel that stands for one beyond the border. */
function filtered({ data, height, width }, taps, step, place) {
  const sum = taps.reduce((a, b) => a + b);
  const length = Math.floor(width / step);
  const first = Math.floor((step - taps.length) / 2); // of the taps of output 0
  const places = Array.from({ length }, (_, i) => taps.map((_, k) => place(step * i + first + k, width)));
  const out = new Float32Array(3 * length * height);
  for (let row = 0; row < 3 * height; row++)
    for (let i = 0; i < length; i++) {
      let total = 0;
      for (let k = 0; k < taps.length; k++) total += taps[k] * data[row * width + places[i][k]];
      const [c, y] = [Math.floor(row / height), row % height];
      out[(c * length + i) * height + y] = total / sum;
    }
  return { height: length, width: height, data: out };
}

/** A photograph as a network is to see it. how: {blur, scale, noise}. */
export function degraded(picture, { blur, scale, noise }) {
  return noisy(reduced(blurred(picture, blur), scale), noise);
}

/** A rectangle of a picture. */
export function cut({ data, height, width }, top, left, h, w) {
  const out = new Float32Array(3 * h * w);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < h; y++) {
      const from = (c * height + top + y) * width + left;
      out.set(data.subarray(from, from + w), (c * h + y) * w);
    }
  return { height: h, width: w, data: out };
}
