// A dial for each pixel: the reader paints where the dial of the brush counts in place of the slider's.
import { at, on } from "./page.js";

const SIDE = 256; // of the mask, whatever the picture's

export class Brush {
  #onSwitch;
  #strokes = []; // masks before each stroke, for undo
  #mask = new Float32Array(SIDE * SIDE); // share of the brush's dial, 0 to 1
  #spot = [0.5, 0.5]; // of the keyboard, in shares of the sides
  #changed = () => {};
  on = false;
  painted = false;

  constructor(onSwitch) {
    this.#onSwitch = onSwitch;
  }

  /** The values of the sliders under the brush: its own dial in place of the first. */
  values({ model, values }) {
    const first = model.sliders.findIndex(({ kind }) => kind === "dial");
    return values.map((v, i) => (i === first ? Number(at("brush-dial").value) : v));
  }

  /** The map of dials [p, side, side] between two omegas. */
  map(outside, inside, side) {
    const out = new Float32Array(outside.length * side * side);
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const share = this.#mask[Math.floor((y + 0.5) * SIDE / side) * SIDE + Math.floor((x + 0.5) * SIDE / side)];
        outside.forEach((v, k) => (out[(k * side + y) * side + x] = v + share * (inside[k] - v)));
      }
    return out;
  }

  /** Show the brush for a network that has a file for maps of dials. */
  offer(model) {
    if (!at("brush")) return;
    at("brush").hidden = !model.map;
    if (!model.map && this.on) this.#switch(false);
  }

  /** Remove all paint, and what could be undone. */
  reset() {
    this.#mask = new Float32Array(SIDE * SIDE);
    this.#strokes = [];
    this.#tell();
  }

  clear() {
    this.#keep();
    this.#mask = new Float32Array(SIDE * SIDE);
    this.#tell(true);
  }

  begin(x, y) {
    this.#keep();
    this.move(x, y);
  }

  /** Paint a disc around a place, in shares of the sides, with a soft edge. */
  move(x, y) {
    const radius = (Number(at("brush-size").value) / 128) * (SIDE / 2);
    const [cx, cy] = [x * SIDE, y * SIDE];
    const [low, high] = [(c) => Math.max(0, Math.floor(c - radius - 2)), (c) => Math.min(SIDE, Math.ceil(c + radius + 2))];
    for (let j = low(cy); j < high(cy); j++)
      for (let i = low(cx); i < high(cx); i++) {
        const share = Math.min(1, Math.max(0, (radius + 2 - Math.hypot(i + 0.5 - cx, j + 0.5 - cy)) / 4));
        this.#mask[j * SIDE + i] = Math.max(this.#mask[j * SIDE + i], share);
      }
    this.cursor(x, y);
    this.#tell(true);
  }

  /** Show where the brush is. */
  cursor(x, y) {
    this.#spot = [x, y];
    const cursor = at("cursor");
    cursor.hidden = !this.on;
    cursor.style.left = `${100 * x}%`;
    cursor.style.top = `${100 * y}%`;
    cursor.style.width = `${(100 * Number(at("brush-size").value)) / 128}%`;
  }

  undo() {
    if (this.#strokes.length) this.#mask = this.#strokes.pop();
    this.#tell(true);
  }

  #keep() {
    if (this.on) this.#strokes.push(this.#mask.slice());
    if (this.#strokes.length > 50) this.#strokes.shift();
  }

  #tell(moved = false) {
    this.painted = this.on && this.#mask.some((v) => v > 0);
    if (!at("brush")) return;
    at("undo").disabled = !this.#strokes.length;
    at("clear").disabled = !this.painted;
    if (moved) this.#changed();
  }

  #switch(on) {
    this.on = on;
    at("brush-on").checked = on;
    at("brush-parts").hidden = !on;
    at("stage").classList.toggle("live-painting", on);
    at("stage").tabIndex = on ? 0 : -1;
    on ? at("stage").setAttribute("role", "application") : at("stage").removeAttribute("role");
    at("stage").ariaLabel = on ? "The picture to paint on" : null;
    this.cursor(...this.#spot);
    this.#tell();
    this.#onSwitch();
    this.#changed();
  }

  #resize(step) {
    const size = at("brush-size");
    size.value = Number(size.value) + step;
    this.cursor(...this.#spot);
  }

  #key(event) {
    if (!this.on || event.target !== at("stage")) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const place = (v, d) => Math.min(1, Math.max(0, v + d / 32));
    if (step) this.cursor(...this.#spot.map((v, i) => place(v, step[i])));
    else if (event.key === " ") this.begin(...this.#spot);
    else if (event.key === "[" || event.key === "]") this.#resize(event.key === "[" ? -2 : 2);
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) this.undo();
    else return;
    event.preventDefault();
  }

  /** changed: called when the paint or its dial is another. */
  listen(changed) {
    if (!at("brush")) return;
    this.#changed = () => changed();
    on("brush-on", "change", ({ target }) => this.#switch(target.checked));
    on("brush-dial", "input", () => this.#changed());
    on("brush-size", "input", () => this.cursor(...this.#spot));
    on("undo", "click", () => this.undo());
    on("clear", "click", () => this.clear());
    on("stage", "keydown", (event) => this.#key(event));
    const wheel = (event) => {
      if (!this.on) return;
      event.preventDefault();
      this.#resize(event.deltaY < 0 ? 2 : -2);
    };
    at("stage").addEventListener("wheel", wheel, { passive: false });
  }
}
