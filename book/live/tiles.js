// A whole photograph through the network, tile by tile: the same result as all of it at once.
import { cut, paste } from "./pictures.js";

const TILE = 192; // pixels of a tile, margins included

/** The tiles of a picture for a model of the manifest: what the network sees, and what of it is kept. */
export function tiles(height, width, { reach, scale }) {
  const { pixels, period } = reach;
  const margin = Math.ceil(pixels / period) * period;
  const most = TILE / Math.sqrt(scale);
  const step = Math.max(1, Math.floor((most - 2 * margin) / period)) * period;
  const found = [];
  for (let y = 0; y < height; y += step)
    for (let x = 0; x < width; x += step) {
      const [top, left] = [Math.max(0, y - margin), Math.max(0, x - margin)];
      const bottom = Math.min(height, y + step + margin);
      const right = Math.min(width, x + step + margin);
      found.push({
        seen: [top, left, bottom - top, right - left],
        kept: [y, x, Math.min(step, height - y), Math.min(step, width - x)],
      });
    }
  return found;
}

/** The network's output for a picture; null once onTile(done, all) says no. run: picture to output. */
export async function tiled(input, model, run, onTile) {
  const { scale } = model;
  const [height, width] = [scale * input.height, scale * input.width];
  const output = { height, width, data: new Float32Array(3 * height * width) };
  const all = tiles(input.height, input.width, model);
  for (const [done, { seen, kept }] of all.entries()) {
    if (!onTile(done, all.length)) return null;
    const piece = await run(cut(input, ...seen));
    const [y, x, h, w] = kept.map((length) => scale * length);
    paste(output, y, x, piece, y - scale * seen[0], x - scale * seen[1], h, w);
  }
  return output;
}
