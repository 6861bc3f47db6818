// Three dials that add up to one, as a place in a triangle.
import { at } from "./page.js";

const [WIDTH, HEIGHT, EDGE] = [220, 200, 24];
const CORNERS = [
  [WIDTH / 2, EDGE],
  [EDGE, HEIGHT - EDGE],
  [WIDTH - EDGE, HEIGHT - EDGE],
];

const three = (model) => model.sliders.length === 3 && model.sliders.every(({ kind }) => kind === "dial");

/** The shares of the three corners at a place, those outside brought to the edge. */
export function shares(x, y) {
  const [[ax, ay], [bx, by], [cx, cy]] = CORNERS;
  const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
  const second = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area;
  const third = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area;
  const inside = [1 - second - third, second, third].map((v) => Math.max(0, v));
  const sum = inside.reduce((a, b) => a + b);
  return inside.map((v) => Math.round((100 * v) / sum) / 100);
}

/** Show where the three dials are; dials of another sum are shown by their shares. */
export function drawTriangle(model, values) {
  const canvas = at("triangle");
  canvas.hidden = !three(model);
  if (canvas.hidden) return;
  const context = canvas.getContext("2d");
  const colour = getComputedStyle(canvas).color;
  context.clearRect(0, 0, WIDTH, HEIGHT);
  Object.assign(context, { strokeStyle: colour, fillStyle: colour, textAlign: "center", font: "13px sans-serif" });
  context.beginPath();
  CORNERS.forEach((corner) => context.lineTo(...corner));
  context.closePath();
  context.stroke();
  CORNERS.forEach(([x, y], i) =>
    context.fillText(model.sliders[i].label, Math.min(WIDTH - 34, Math.max(34, x)), i ? y + 18 : y - 8),
  );
  const sum = values.reduce((a, b) => a + b);
  if (!sum) return;
  const place = [0, 1].map((axis) => CORNERS.reduce((total, corner, i) => total + (corner[axis] * values[i]) / sum, 0));
  context.beginPath();
  context.arc(...place, 7, 0, 2 * Math.PI);
  context.fill();
}

/** onMove: called with the three values where a pointer is. */
export function listenTriangle(onMove) {
  const canvas = at("triangle");
  const move = (event) => {
    if (!event.buttons) return;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    onMove(shares(((event.clientX - left) * WIDTH) / width, ((event.clientY - top) * HEIGHT) / height));
  };
  canvas.addEventListener("pointerdown", move);
  canvas.addEventListener("pointermove", move);
}
