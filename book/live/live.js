// The live page: sliders in, pictures out. The network runs in a worker (engine.js); until a reader
// asks for it, precomputed filmstrips answer.
import { Engine } from "./engine.js";
import { blurred, cut, fromSource, noisy, paste, toImageData } from "./pictures.js";

const root = document.getElementById("live");
const at = (name) => root.querySelector(`[data-live=${name}]`);
const here = (file) => new URL(file, import.meta.url).href;
const TILE = 192; // pixels of a tile of a whole photograph, margins included
const MOST = 1024; // its longest side

const engine = (root.engine = new Engine());
const state = { model: null, image: null, own: null, values: [], busy: false, again: false };

function say(text) {
  at("status").textContent = text;
}

// What is shown

function draw(canvas, picture) {
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").putImageData(toImageData(picture), 0, 0);
}

function value(kind) {
  const i = state.model.sliders.findIndex((slider) => slider.kind === kind);
  return i < 0 ? 0 : state.values[i];
}

/** The photograph as the network is to see it. */
function degraded(picture) {
  return noisy(blurred(picture, value("blur")), value("noise"));
}

function omega() {
  const sum = [...state.model.base];
  state.model.sliders.forEach(({ direction }, i) =>
    direction.forEach((step, k) => (sum[k] += step * state.values[i])),
  );
  return sum.map((v) => Math.min(1, Math.max(0, v)));
}

function picture() {
  return state.own ? fromSource(state.own, state.side, true) : state.image.picture;
}

async function show() {
  if (!state.model || state.whole) return;
  if (state.busy) return void (state.again = true);
  state.busy = true;
  try {
    do {
      state.again = false;
      const input = degraded(picture());
      draw(at("before"), input);
      const settings = omega();
      at("omega").textContent = `ω = (${settings.map((v) => v.toFixed(2)).join(", ")})`;
      if (engine.model === state.model) {
        const { output, ms } = await engine.run(input.data, input.height, input.width, settings);
        draw(at("after"), { ...input, data: output });
        const size = `${input.width} × ${input.height}`;
        say(`Computed in your browser: ${ms.toFixed(0)} ms for ${size} pixels.`);
      } else await fromStrip(input);
    } while (state.again);
  } catch (error) {
    say(`The network stopped: ${error.message}. Reload the page to start again.`);
  } finally {
    state.busy = false;
  }
}

/** The nearest precomputed frame, where the sliders of the degradation stand as they did at first. */
async function fromStrip(input) {
  const { sliders, strips } = state.model;
  const moved = sliders.some((s, i) => s.kind !== "dial" && state.values[i] !== s.start);
  if (state.own || moved) {
    draw(at("after"), input);
    return say("This needs the network itself: press “Run the network here”.");
  }
  const strip = await image(strips.files[state.image.name]);
  const dials = state.values.filter((_, i) => sliders[i].kind === "dial");
  const far = (p) => p.reduce((sum, v, k) => sum + (v - dials[k]) ** 2, 0);
  const frame = strips.positions.reduce((best, p, i, all) => (far(p) < far(all[best]) ? i : best), 0);
  const canvas = at("after");
  [canvas.width, canvas.height] = [input.width, input.height];
  const place = [0, frame * input.height, input.width, input.height];
  canvas.getContext("2d").drawImage(strip, ...place, 0, 0, input.width, input.height);
  say("Computed beforehand: the nearest of a few positions of the dials.");
}

const images = new Map();

function image(file) {
  if (!images.has(file)) {
    const made = new Image();
    made.src = here(file);
    images.set(file, made.decode().then(() => made));
  }
  return images.get(file);
}

// The whole photograph, tile by tile

async function whole() {
  const source = state.own ?? (await image(state.image.file));
  const input = degraded(fromSource(source, MOST, false));
  const output = { ...input, data: new Float32Array(input.data.length) };
  const { reach, period } = state.model;
  const step = Math.max(period, Math.floor((TILE - 2 * reach) / period) * period);
  const spans = (length) => Array.from({ length: Math.ceil(length / step) }, (_, i) => i * step);
  const tiles = spans(input.height).flatMap((y) => spans(input.width).map((x) => [y, x]));
  const margin = Math.ceil(reach / period) * period;
  const settings = omega();
  state.whole = true;
  at("progress").hidden = false;
  try {
    for (const [done, [y, x]] of tiles.entries()) {
      at("progress").value = done / tiles.length;
      say(`Working on ${input.width} × ${input.height} pixels: tile ${done + 1} of ${tiles.length}.`);
      const [top, left] = [Math.max(0, y - margin), Math.max(0, x - margin)];
      const bottom = Math.min(input.height, y + step + margin);
      const right = Math.min(input.width, x + step + margin);
      const piece = cut(input, top, left, bottom - top, right - left);
      const { output: data } = await engine.run(piece.data, piece.height, piece.width, settings);
      if (!state.whole) return; // a slider was moved: it is no longer wanted
      const [h, w] = [Math.min(step, input.height - y), Math.min(step, input.width - x)];
      paste(output, y, x, { ...piece, data }, y - top, x - left, h, w);
    }
    draw(at("before"), input);
    draw(at("after"), output);
    say(`Done: ${input.width} × ${input.height} pixels. Move a slider to go on with the small square.`);
  } finally {
    at("progress").hidden = true;
  }
}

// What a reader does

function changed() {
  state.whole = false;
  show();
}

function slider(spec, i) {
  const label = document.createElement("label");
  const step = spec.most / 100;
  label.innerHTML =
    `<span>${spec.label}</span><input type="range" min="0" max="${spec.most}" step="${step}">` +
    `<span class="live-ends"><span>${spec.low}</span><output></output><span>${spec.high}</span></span>`;
  const input = label.querySelector("input");
  input.value = state.values[i];
  input.name = spec.label;
  const tell = () => {
    state.values[i] = Number(input.value);
    const text = spec.kind === "dial" ? state.values[i].toFixed(2) : state.values[i].toFixed(1);
    const unit = { noise: " grey levels", blur: " pixels" }[spec.kind] ?? "";
    label.querySelector("output").textContent = text;
    input.setAttribute("aria-valuetext", `${text}${unit}`);
  };
  input.addEventListener("input", () => (tell(), changed()));
  tell();
  return label;
}

function choose(model) {
  state.model = model;
  const kept = state.own ? 0 : null; // a photograph of one's own is taken as it is
  state.values = model.sliders.map((s) => (s.kind === "dial" ? s.start : (kept ?? s.start)));
  at("says").textContent = model.says;
  at("sliders").replaceChildren(...model.sliders.map(slider));
  ready();
  changed();
  if (engine.started && engine.model !== model) start(); // the large part is there already
}

/** Say what the button does now. */
function ready() {
  const loaded = engine.model === state.model;
  at("run").hidden = loaded || !Engine.possible;
  at("whole").disabled = !loaded;
  at("run").textContent = `Run the network here (${(state.model.bytes / 1e6).toFixed(1)} MB, and once 14 MB)`;
}

async function start() {
  const model = state.model;
  at("run").disabled = true;
  at("progress").hidden = false;
  say("Loading the network; meanwhile the frames computed beforehand answer.");
  try {
    await engine.load(model, (share) => (at("progress").value = share));
  } catch (error) {
    say(`The network could not be loaded: ${error.message}.`);
  } finally {
    at("run").disabled = false;
    at("progress").hidden = true;
  }
  ready();
  show();
  if (state.model !== model) start(); // another one was chosen meanwhile
}

async function take(file) {
  if (!file?.type.startsWith("image/")) return say("That is not a picture: take a PNG, JPEG or WebP file.");
  try {
    state.own = await createImageBitmap(file);
  } catch {
    return say(`“${file.name}” cannot be read as a picture.`);
  }
  for (const radio of root.querySelectorAll("[name=live-image]")) radio.checked = false;
  choose(state.model);
}

function radios(place, name, items, onChange) {
  place.append(
    ...items.map((item, i) => {
      const label = document.createElement("label");
      label.innerHTML = `<input type="radio" name="${name}"> <span></span>`;
      label.lastChild.textContent = item.title ?? item.name;
      label.firstChild.checked = i === 0;
      label.firstChild.addEventListener("change", () => onChange(item));
      return label;
    }),
  );
}

function wipe(share) {
  at("wipe").value = share;
  at("stage").style.setProperty("--wipe", `${100 * share}%`);
}

function listen() {
  at("run").addEventListener("click", start);
  at("whole").addEventListener("click", () => whole().catch((error) => say(error.message)));
  at("file").addEventListener("change", (event) => take(event.target.files[0]));
  at("wipe").addEventListener("input", (event) => wipe(event.target.value));
  at("download").addEventListener("click", () =>
    at("after").toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${state.model.name}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }),
  );
  const stage = at("stage");
  const drag = (event) => {
    const { left, width } = stage.getBoundingClientRect();
    if (event.buttons) wipe(Math.min(1, Math.max(0, (event.clientX - left) / width)));
  };
  stage.addEventListener("pointerdown", drag);
  stage.addEventListener("pointermove", drag);
  root.addEventListener("dragover", (event) => event.preventDefault());
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((item) => item.type.startsWith("image/"));
    if (file) take(file);
  });
}

async function begin() {
  const manifest = await (await fetch(here("manifest.json"))).json();
  if (!manifest.models.length) return say("No trained network is in this book: run `make runs` first.");
  state.side = manifest.side;
  for (const item of manifest.images)
    item.picture = fromSource(await image(item.file), manifest.side, true);
  state.image = manifest.images[0];
  radios(at("models"), "live-model", manifest.models, choose);
  radios(at("images"), "live-image", manifest.images, (item) => {
    Object.assign(state, { image: item, own: null });
    choose(state.model);
  });
  listen();
  wipe(0.5);
  choose(manifest.models[0]);
  if (!Engine.possible) say("This browser has no WebAssembly: frames computed beforehand are shown.");
  root.dataset.ready = "";
}

begin().catch((error) => say(`The page could not be set up: ${error.message}.`));
