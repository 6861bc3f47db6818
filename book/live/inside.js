// What turns inside of the network: the weights alpha of every layer (Eq. 6), and one kernel on its way between
// the two that it is mixed from (Eq. 5).
import { omega } from "./dials.js";
import { made, place } from "./drawing.js";
import { at } from "./page.js";

const [WIDTH, HEIGHT, EDGE] = [300, 130, 26];
const LINE = 13; // height of a line of text
const [CELL, GRID] = [16, 52]; // sides of a number of a kernel, and of a kernel with its space
let shown = null; // {model, lines, low, high, kernels, dot}

/** The weights of a layer's kernels at omega. */
function alpha({ weight, bias }, layer, dials) {
  return bias[layer].map((b, k) => dials.reduce((sum, v, d) => sum + v * weight[layer][k][d], b));
}

/** The nine numbers of the kernel that is shown. */
function kernel(inside, dials) {
  const { layer, values } = inside.kernel;
  const shares = alpha(inside, layer, dials);
  return values[0].map((_, i) => values.reduce((sum, one, k) => sum + shares[k] * one[i], 0));
}

function build(model) {
  const { weight, bias, kernel: one } = model.inside;
  const ends = bias.flatMap((row, l) =>
    row.flatMap((b, k) => [Math.min, Math.max].map((end) => weight[l][k].reduce((sum, w) => sum + end(0, w), b))),
  );
  const lines = bias[0].map((_, k) => made("polyline", { class: `live-alpha live-alpha-${k % 3}` }));
  const names = bias[0].map((_, k) => made("text", { x: WIDTH - EDGE + 4, class: `live-alpha-${k % 3}` }, `α${"₁₂₃₄₅₆₇₈"[k]}`));
  at("alphas").replaceChildren(
    made("path", { d: `M ${EDGE} ${EDGE} V ${HEIGHT - EDGE} H ${WIDTH - EDGE}`, class: "live-axis" }),
    ...[...lines, ...names],
    made("text", { x: EDGE, y: EDGE - 8 }, "weights α of the kernels"),
    made("text", { x: WIDTH - EDGE, y: HEIGHT - 8, "text-anchor": "end" }, `layers 1 to ${bias.length}`),
  );
  const low = Math.min(0, ...ends);
  const high = Math.max(...ends);
  for (const value of [0, high])
    at("alphas").append(
      made("text", { x: EDGE - 3, y: level(value, low, high) + 4, "text-anchor": "end" }, String(+value.toFixed(1))),
    );
  const places = [EDGE, (WIDTH - GRID) / 2, WIDTH - EDGE - GRID + 4];
  const kernels = places.map((x) =>
    Array.from({ length: 9 }, (_, i) =>
      made("rect", { x: x + CELL * (i % 3), y: 28 + CELL * Math.floor(i / 3), width: CELL - 1, height: CELL - 1 }),
    ),
  );
  const dot = made("circle", { cy: 92, r: 5, class: "live-now" });
  const [left, right] = [places[0] + GRID / 2 - 2, places[2] + GRID / 2 - 2];
  at("kernel").replaceChildren(
    ...kernels.flat(),
    made("path", { d: `M ${left} 92 H ${right}`, class: "live-axis" }),
    dot,
    made("text", { x: EDGE, y: 18 }, "one kernel: dial at 0, now, dial at 1"),
    made("text", { x: EDGE, y: 116 }, one.name),
  );
  shown = { model, lines, names, low, high, kernels, dot, left, right };
}

const level = (value, low, high) => HEIGHT - EDGE - ((value - low) / (high - low)) * (HEIGHT - 2 * EDGE);

/** Show where the dials have brought the weights and the kernel. */
export function drawInside(state) {
  if (!at("inside")) return;
  const { model, values } = state;
  if (shown?.model !== model) build(model);
  const { lines, names, low, high, kernels, dot, left, right } = shown;
  const { inside } = model;
  const rows = inside.bias.map((_, layer) => alpha(inside, layer, omega(state)));
  const across = (l) => EDGE + ((l + 0.5) / rows.length) * (WIDTH - 2 * EDGE);
  lines.forEach((line, k) => {
    place(line, { points: rows.map((row, l) => `${across(l)},${level(row[k], low, high)}`).join(" ") });
  });
  const heights = rows.at(-1).map((share) => level(share, low, high) + 4);
  let above = -Infinity; // names of nearly equal weights stand below one another
  for (const [y, k] of heights.map((y, k) => [y, k]).sort(([a], [b]) => a - b)) {
    above = Math.max(y, above + LINE);
    place(names[k], { y: above });
  }
  const first = model.sliders.findIndex(({ kind }) => kind === "dial");
  const moved = (value) => omega({ model, values: values.map((v, i) => (i === first ? value : v)) });
  const numbers = [moved(0), omega(state), moved(1)].map((dials) => kernel(inside, dials));
  const most = Math.max(...numbers.flat().map(Math.abs)) || 1;
  kernels.forEach((cells, which) =>
    cells.forEach((cell, i) => {
      const value = numbers[which][i];
      place(cell, { class: value < 0 ? "live-below" : "live-above", "fill-opacity": (Math.abs(value) / most).toFixed(3) });
    }),
  );
  place(dot, { cx: left + values[first] * (right - left) });
}
