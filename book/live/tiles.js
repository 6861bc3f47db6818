// A whole photograph through the network, tile by tile: the same result as all of it at once.
import { cut } from "./pictures.js";

/** Pixels of a tile, margins included. */
const side = ({ weights, scale }) => (weights ? 384 : 192 / Math.sqrt(scale));

/** The tiles of a picture for a model of the manifest: what the network sees, and what of it is kept. The margin
 *  is how far the network looks, as in tunable_photo/tiling.py. most: pixels of a tile. */
export function tiles(height, width, model, most = side(model)) {
  const { pixels, period } = model.reach;
  const margin = Math.ceil(pixels / period) * period;
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

/** Make the network's output for a picture; false once onTile(done, all) says no.
 *  run: picture to output; onPart(part, x, y): takes a part of the output, and where its corner is. */
export async function tiled(input, model, { run, onTile, onPart, most }) {
  const { scale } = model;
  const all = tiles(input.height, input.width, model, most);
  for (const [done, { seen, kept }] of all.entries()) {
    if (!onTile(done, all.length)) return false;
    const piece = await run(cut(input, ...seen));
    const [y, x, h, w] = kept.map((length) => scale * length);
    onPart(cut(piece, y - scale * seen[0], x - scale * seen[1], h, w), x, y);
  }
  return true;
}
