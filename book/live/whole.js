// All of a photograph of the reader's own, tile by tile: each is shown as it is made.
import { how, omega } from "./dials.js";
import { at, progress, say } from "./page.js";
import { toImageData, whole } from "./pictures.js";
import { draw } from "./stage.js";
import { tiled } from "./tiles.js";

/** Show the whole photograph; state.whole that turns false, as by a slider, ends it after a tile.
 *  Resolves to whether all of it was made. */
export async function showWhole(state, engine) {
  const { model } = state;
  state.whole = true;
  at("whole").disabled = at("download").disabled = true;
  at("stop").hidden = false;
  progress(0);
  try {
    const settings = omega(state);
    const clean = whole(state.own, model.most, model.scale * model.reach.period);
    const size = `${clean.width} × ${clean.height} pixels`;
    const smaller = clean.width < state.own.width - model.scale * model.reach.period ? ", made smaller" : "";
    say(`Working on ${size}${smaller}.`);
    const asked = how(state);
    const input = asked.blur || asked.noise || asked.scale > 1 ? await engine.degraded(clean, asked) : clean;
    if (!state.whole) return false;
    draw("before", input);
    draw("after", input); // what is not made yet
    at("time").textContent = at("numbers").textContent = "";
    const canvas = at("after");
    if (model.scale > 1) [canvas.width, canvas.height] = [model.scale * input.width, model.scale * input.height];
    const context = canvas.getContext("2d");
    const began = performance.now();
    const done = await tiled(input, model, {
      run: (piece) => engine.run(piece, settings),
      onTile(count, all) {
        if (state.whole) progress(count / all);
        return state.whole;
      },
      onPart: (part, x, y) => state.whole && context.putImageData(toImageData(part), x, y),
    });
    if (!done || !state.whole) return false;
    const seconds = (performance.now() - began) / 1000;
    at("time").textContent = `${seconds.toFixed(1)} s for ${canvas.width} × ${canvas.height} pixels`;
    say(`Done: ${size}${smaller}. Move a slider to return to the small square.`);
    return true;
  } finally {
    progress(null);
    at("download").disabled = false;
    at("stop").hidden = true;
  }
}
