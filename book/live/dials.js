// What the sliders say: how the photograph is degraded, omega, and the nearest precomputed frame.
import { image } from "./page.js";

/** How the photograph is degraded, for pictures.degraded. */
export function how({ model, values }) {
  const value = (kind) => values[model.sliders.findIndex((s) => s.kind === kind)] ?? 0;
  return { blur: value("blur"), noise: value("noise"), scale: model.scale };
}

/** Omega for the values of the sliders. */
export function omega({ model, values }) {
  const sum = [...model.base];
  model.sliders.forEach(({ direction }, i) => direction.forEach((step, k) => (sum[k] += step * values[i])));
  return sum.map((v) => Math.min(1, Math.max(0, v)));
}

/** The frame nearest to the dials, {strip, index, measures}; null where a slider of the degradation has
 *  moved, or for a photograph of the reader's own. */
export async function frame({ model, values, image: name, own }) {
  const { sliders, strips } = model;
  if (own || sliders.some((s, i) => s.kind !== "dial" && values[i] !== s.start)) return null;
  const dials = values.filter((_, i) => sliders[i].kind === "dial");
  const far = (p) => p.reduce((sum, v, k) => sum + (v - dials[k]) ** 2, 0);
  const index = strips.positions.reduce((best, p, i, all) => (far(p) < far(all[best]) ? i : best), 0);
  return { strip: await image(strips.files[name]), index, measures: strips.measures[name][index] };
}
