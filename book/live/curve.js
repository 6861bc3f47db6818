// The kept fraction of the noise along the dial: an even dial is a straight line, a switch is a step. The line was
// computed beforehand, where it applies; each frame that the network computes here adds a point.
import { frame } from "./dials.js";
import { made, place } from "./drawing.js";
import { at } from "./page.js";

const [WIDTH, HEIGHT, EDGE] = [260, 130, 26];
const MOST = 200; // points

const across = (v) => EDGE + v * (WIDTH - 2 * EDGE);
const up = (f) => HEIGHT - EDGE - Math.min(1, Math.max(0, f)) * (HEIGHT - 2 * EDGE);

let parts = null;
let seen = { of: "", own: null, points: new Map() }; // shares by dial, of one network, photograph and noise

function build(label) {
  const line = made("polyline", { class: "live-line", pathLength: 1 });
  const own = made("polyline", { class: "live-own" });
  const dots = made("g", { class: "live-dots" });
  const dot = made("circle", { r: 5, class: "live-now" });
  const name = made("text", { x: WIDTH - EDGE, y: HEIGHT - 8, "text-anchor": "end" }, label);
  at("curve").replaceChildren(
    made("path", { d: `M ${EDGE} ${EDGE} V ${HEIGHT - EDGE} H ${WIDTH - EDGE}`, class: "live-axis" }),
    ...[line, own, dots, dot, name],
    made("text", { x: EDGE, y: EDGE - 8 }, "kept fraction f of the noise"),
    made("text", { x: EDGE - 6, y: HEIGHT - EDGE, "text-anchor": "end" }, "0"),
    made("text", { x: EDGE - 6, y: EDGE + 8, "text-anchor": "end" }, "1"),
  );
  parts = { line, own, dots, dot, name };
}

/** The dial of a network that has only one, its label and value; null otherwise. */
function only({ model, values }) {
  const dials = model.sliders.filter(({ kind }) => kind === "dial");
  return dials.length === 1 && { label: dials[0].label.toLowerCase(), value: values[model.sliders.indexOf(dials[0])] };
}

/** Draw f along a network's one dial, as far as it is known, and where the dial stands.
 *  computed: f of a frame that was computed now. */
export async function drawCurve(state, computed = null) {
  const { model, values, image, own } = state;
  const dial = only(state);
  if (!dial) return at("curve").toggleAttribute("hidden", true);
  const others = values.filter((_, i) => model.sliders[i].kind !== "dial");
  const of = [model.name, image, ...others].join();
  if (seen.of !== of || seen.own !== own) seen = { of, own, points: new Map() };
  if (computed !== null && seen.points.size < MOST) seen.points.set(dial.value, computed);
  const shares = (await frame(state)) ? model.strips.measures[image].map(([, share]) => share) : [];
  const known = shares.includes(null) ? [] : shares;
  const points = [...seen.points].sort(([one], [other]) => one - other);
  at("curve").toggleAttribute("hidden", !known.length && !points.length);
  if (!parts) build(dial.label);
  const { line, own: trail, dots, dot, name } = parts;
  name.textContent = dial.label;
  const written = (list) => list.map(([v, f]) => `${across(v)},${up(f)}`).join(" ");
  const last = known.length - 1;
  const whole = written(known.map((share, i) => [i / last, share]));
  if (line.getAttribute("points") !== whole) {
    line.setAttribute("points", whole);
    line.replaceWith(line); // so that it is drawn from its beginning
  }
  trail.setAttribute("points", known.length ? "" : written(points));
  dots.replaceChildren(...points.map(([v, f]) => made("circle", { cx: across(v), cy: up(f), r: 2.5 })));
  const low = Math.floor(dial.value * last);
  const between = known[low] + (dial.value * last - low) * ((known[low + 1] ?? known[low]) - known[low]);
  const share = seen.points.get(dial.value) ?? (known.length ? between : points[0]?.[1]);
  if (share !== undefined) place(dot, { cx: across(dial.value), cy: up(share) });
}
