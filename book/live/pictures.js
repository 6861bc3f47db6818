// Photographs as Float32Array [3, height, width] in [0, 1], and what is done to them.

const SEED = 7;

/** A picture of a canvas source, cut to the largest centred rectangle of at most `most` pixels a side;
 *  `square` cuts to a square of exactly that side. */
export function fromSource(source, most, square) {
  const [w, h] = [source.width, source.height];
  const scale = square ? most / Math.min(w, h) : Math.min(1, most / Math.max(w, h));
  const width = square ? most : Math.max(1, Math.round(w * scale));
  const height = square ? most : Math.max(1, Math.round(h * scale));
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
  const sum = taps.reduce((a, b) => a + b);
  const { height, width } = picture;
  const pass = (data, length, step, starts) => {
    const out = new Float32Array(data.length);
    for (const start of starts)
      for (let i = 0; i < length; i++) {
        let total = 0;
        for (let k = 0; k < 21; k++)
          total += taps[k] * data[start + step * Math.min(length - 1, Math.max(0, i + k - 10))];
        out[start + step * i] = total / sum;
      }
    return out;
  };
  const columns = [], rows = [];
  for (let c = 0; c < 3; c++) {
    for (let x = 0; x < width; x++) columns.push(c * height * width + x);
    for (let y = 0; y < height; y++) rows.push((c * height + y) * width);
  }
  const down = pass(picture.data, height, width, columns);
  return { height, width, data: pass(down, width, 1, rows) };
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

/** Put a rectangle of `piece`, from (top, left), into `whole` at (y, x). */
export function paste(whole, y, x, piece, top, left, h, w) {
  for (let c = 0; c < 3; c++)
    for (let row = 0; row < h; row++) {
      const from = (c * piece.height + top + row) * piece.width + left;
      whole.data.set(piece.data.subarray(from, from + w), (c * whole.height + y + row) * whole.width + x);
    }
}
