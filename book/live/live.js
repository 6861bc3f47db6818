// The live page: sliders in, pictures out. The network runs in a worker (engine.js); until a reader
// asks for it, precomputed filmstrips answer.
import { choices, slider } from "./controls.js";
import { Engine } from "./engine.js";
import { at, here, image, progress, root, say } from "./page.js";
import { degraded, square, whole } from "./pictures.js";
import { draw, drawFrame, listenStage, save } from "./stage.js";
import { tiled } from "./tiles.js";

const TITLES = { wasm: "processor", webgpu: "graphics processor" };
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)}\u00a0MB`;

const engine = (root.engine = new Engine());
const state = {
  model: null, // of the manifest, as chosen
  device: null, // where it is to run
  image: null, // the name of a photograph of the page
  own: null, // or one of the reader's
  values: [], // of the sliders
  loading: false,
  whole: false, // the whole photograph is being made, or shown
  showing: false,
  again: false, // something moved since the last showing began
};

/** Whether the chosen network is there, where it was chosen to run. */
function loaded() {
  return !state.loading && engine.model === state.model && engine.device === state.device;
}

/** Show what can be done now. */
function ready() {
  at("run").hidden = loaded() || !state.device;
  at("run").disabled = state.loading;
  at("whole").disabled = !loaded() || !state.own || !state.model.reach;
  if (!state.device) return;
  const runtime = engine.device === state.device ? 0 : state.runtime[state.device].bytes;
  at("run").textContent = `Run the network here (${megabytes(state.model.bytes + runtime)})`;
}

// What is shown

/** How the photograph is degraded, for pictures.degraded. */
function how() {
  const value = (kind) => state.values[state.model.sliders.findIndex((s) => s.kind === kind)] ?? 0;
  return { blur: value("blur"), noise: value("noise"), scale: state.model.scale };
}

function omega() {
  const sum = [...state.model.base];
  state.model.sliders.forEach(({ direction }, i) =>
    direction.forEach((step, k) => (sum[k] += step * state.values[i])),
  );
  return sum.map((v) => Math.min(1, Math.max(0, v)));
}

async function show() {
  state.again = true;
  if (state.showing) return;
  state.showing = true;
  try {
    while (state.again && !state.whole) {
      state.again = false;
      await showOnce();
    }
  } catch (error) {
    if (!state.loading) failed(error);
  } finally {
    state.showing = false;
  }
}

async function showOnce() {
  const { side } = state.model;
  const source = state.own ?? (await image(`${state.image}-${side}.webp`));
  const input = degraded(square(source, side), how());
  const settings = omega();
  at("omega").textContent = `ω = (${settings.map((v) => v.toFixed(2)).join(", ")})`;
  at("time").textContent = "";
  draw("before", input);
  if (!loaded()) return fromStrip(input);
  const output = await engine.run(input, settings);
  if (state.whole) return;
  draw("after", output);
  at("time").textContent = `${output.ms.toFixed(0)} ms for ${output.width} × ${output.height} pixels`;
  say(`Computed in your browser, on the ${TITLES[engine.device]}.`);
}

/** The nearest precomputed frame, where the sliders of the degradation stand as they did at first. */
async function fromStrip(input) {
  const { sliders, strips, side } = state.model;
  const moved = sliders.some((s, i) => s.kind !== "dial" && state.values[i] !== s.start);
  if (state.own || moved) {
    draw("after", input);
    const why = state.device ? "press “Run the network here”" : "this browser cannot run it";
    return say(`This needs the network itself: ${why}.`);
  }
  const strip = await image(strips.files[state.image]);
  const dials = state.values.filter((_, i) => sliders[i].kind === "dial");
  const far = (p) => p.reduce((sum, v, k) => sum + (v - dials[k]) ** 2, 0);
  const frame = strips.positions.reduce((best, p, i, all) => (far(p) < far(all[best]) ? i : best), 0);
  drawFrame(strip, frame, side);
  if (!state.loading) say("Computed beforehand: the nearest of a few positions of the dials.");
}

async function showWhole() {
  const { model } = state;
  state.whole = true;
  at("whole").disabled = true;
  progress(0);
  try {
    const settings = omega();
    const clean = whole(state.own, model.most, model.scale * model.reach.period);
    const size = `${clean.width} × ${clean.height} pixels`;
    say(`Working on ${size}.`);
    const input = await engine.degraded(clean, how());
    const run = (piece) => engine.run(piece, settings);
    const output = await tiled(input, model, run, (done, all) => {
      if (state.whole) progress(done / all);
      return state.whole; // a slider that moves ends it
    });
    if (!output || !state.whole) return;
    draw("before", input);
    draw("after", output);
    at("time").textContent = "";
    say(`Done: ${size}. Move a slider to go on with the small square.`);
  } catch (error) {
    state.whole = false;
    if (!state.loading) failed(error);
  } finally {
    progress(null);
    ready();
  }
}

// The network

async function start() {
  if (state.loading) return;
  state.loading = true;
  state.whole = false;
  ready();
  say("Loading the network; meanwhile the frames computed beforehand answer.");
  let problem = null;
  try {
    while (engine.model !== state.model || engine.device !== state.device)
      await engine.load(state.model, state.device, state.runtime[state.device], progress);
  } catch (error) {
    problem = error;
  }
  state.loading = false;
  progress(null);
  ready();
  problem ? failed(problem) : show();
}

/** Where the graphics processor fails, the other one is left. */
function failed(error) {
  if (state.device !== "webgpu") return say(`The network stopped: ${error.message}. Reload the page.`);
  at("devices").querySelector("[value=processor]").checked = true;
  state.device = "wasm";
  start();
}

// What a reader does

function changed() {
  state.whole = false;
  show();
}

function choose(model) {
  state.model = model;
  state.values = model.sliders.map((s) => s.start);
  at("says").textContent = model.says;
  arrange();
  if (engine.device) start(); // the large part is there already
}

/** Another photograph: the dials stay; one of the reader's own is taken as it is. */
function take(photograph) {
  Object.assign(state, photograph);
  const { sliders } = state.model;
  state.values = sliders.map((s, i) => (s.kind === "dial" ? state.values[i] : s.start));
  arrange();
}

function arrange() {
  const { sliders } = state.model;
  if (state.own) state.values = state.values.map((v, i) => (sliders[i].kind === "dial" ? v : 0));
  const made = sliders.map((spec, i) =>
    slider(spec, state.values[i], (value) => {
      state.values[i] = value;
      changed();
    }),
  );
  at("sliders").replaceChildren(...made);
  ready();
  changed();
}

async function takeFile(file) {
  if (!file?.type.startsWith("image/")) return say("That is not a picture: take a PNG, JPEG or WebP file.");
  let own;
  try {
    own = await createImageBitmap(file);
  } catch {
    return say(`“${file.name}” cannot be read as a picture.`);
  }
  for (const radio of root.querySelectorAll("[name=live-image]")) radio.checked = false;
  take({ own });
}

function listen() {
  at("run").addEventListener("click", start);
  at("whole").addEventListener("click", showWhole);
  at("download").addEventListener("click", () => save(state.model.name));
  at("file").addEventListener("change", (event) => takeFile(event.target.files[0]));
  root.addEventListener("dragover", (event) => event.preventDefault());
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    takeFile(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((item) => item.type.startsWith("image/"));
    if (file) takeFile(file);
  });
}

async function begin() {
  const { models, images: names, runtime } = await (await fetch(here("manifest.json"))).json();
  if (!models.length) return say("No trained network is in this book: run `make runs` first.");
  const devices = await Engine.devices();
  Object.assign(state, { runtime, image: names[0], device: devices[0] ?? null });
  const named = (list, title) => list.map((item) => [item, title(item)]);
  const onImage = (name) => take({ image: name, own: null });
  const onDevice = (device) => {
    state.device = device;
    ready();
    if (engine.device) start();
  };
  at("models").append(...choices("model", named(models, (m) => m.title), choose));
  at("images").append(...choices("image", named(names, (name) => name), onImage));
  at("devices").append(...choices("device", named(devices, (device) => TITLES[device]), onDevice));
  at("devices").hidden = devices.length < 2;
  listenStage();
  listen();
  choose(models[0]);
  root.dataset.ready = "";
}

begin().catch((error) => say(`The page could not be set up: ${error.message}.`));
