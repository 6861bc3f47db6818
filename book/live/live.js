// The live page: sliders in, pictures out. The network runs in a worker (engine.js); until a reader
// asks for it, precomputed filmstrips answer.
import { address, isView, remember, view } from "./address.js";
import { Brush } from "./brush.js";
import { choices, slider } from "./controls.js";
import { drawCurve } from "./curve.js";
import { frame, how, omega } from "./dials.js";
import { Engine } from "./engine.js";
import { listenFiles } from "./files.js";
import { drawInside } from "./inside.js";
import { kept, psnr, sentence } from "./measures.js";
import { showMethods } from "./methods.js";
import { at, forgive, here, image, on, progress, refuse, root, say } from "./page.js";
import { degraded, square } from "./pictures.js";
import { draw, drawFrame, listenStage, save, wipe } from "./stage.js";
import { drawTriangle, listenTriangle } from "./triangle.js";
import { showWhole } from "./whole.js";

const TITLES = { wasm: "processor", webgpu: "graphics processor" };
const HOME = root.dataset.page === "home";
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)}\u00a0MB`;

const engine = (root.engine = new Engine());
const brush = (root.brush = new Brush(() => (ready(), wanted() === engine.model || start())));
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

/** What the engine needs: the chosen network, or while the brush is on its file for maps of dials. */
const wanted = () => (brush.on ? state.model.map : state.model);

/** Whether the chosen network is there, where it was chosen to run. */
const loaded = () => !state.loading && engine.model === wanted() && engine.device === state.device;

/** Show what can be done now, and why what cannot. */
function ready() {
  const { model, own, device } = state;
  at("run").hidden = loaded() || !device;
  at("run").disabled = state.loading;
  if (device) {
    const bytes = engine.needs(wanted(), device, state.runtime[device]);
    at("run").textContent = `Run the network here (${megabytes(bytes)})`;
  }
  if (HOME) return;
  const reasons = [
    [brush.on, "The brush works on the square; switch it off for the whole photograph."],
    [!model.reach, "This network needs all of an image at once, so it works only on the square."],
    [!own, "The whole photograph: choose one of your own first."],
    [!loaded(), "The whole photograph: run the network here first."],
  ];
  const reason = reasons.find(([applies]) => applies)?.[1] ?? "";
  at("whole").disabled = Boolean(reason);
  at("why").textContent = reason;
}

// What is shown

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
  const { side, scale, measured } = state.model;
  const source = state.own ?? (await image(`${state.image}-${side}.webp`));
  const clean = square(source, side);
  const input = degraded(clean, how(state));
  const settings = omega(state);
  at("omega").textContent = `ω = (${settings.map((v) => v.toFixed(2)).join(", ")})`;
  at("time").textContent = "";
  draw("before", input);
  drawInside(state);
  await drawCurve(state);
  await showMethods(state);
  if (!loaded()) return beforehand(input);
  const map = brush.on ? brush.map(settings, omega({ ...state, values: brush.values(state) }), side / scale) : null;
  const output = await engine.run(input, map ?? settings, Boolean(map));
  if (state.whole) return;
  draw("after", output);
  const share = how(state).blur ? null : kept(output, clean, input);
  if (!map) await drawCurve(state, measured ? share : null);
  const known = measured && (!state.own || how(state).noise || scale > 1);
  at("numbers").textContent = sentence(known ? psnr(output, clean) : null, share);
  at("time").textContent = `${output.ms.toFixed(0)} ms for ${output.width} × ${output.height} pixels`;
  const asIs = "  Your photograph is used as it is, with its own noise; the slider adds more.";
  const own = state.own && how(state).noise === 0 ? asIs : "";
  say(`Computed in your browser, on the ${TITLES[engine.device]}.${own}`);
}

/** The nearest precomputed frame, where there is one. */
async function beforehand(input) {
  const found = brush.painted ? null : await frame(state);
  found ? drawFrame(at("after"), found.strip, found.index, state.model.side) : draw("after", input);
  at("numbers").textContent = sentence(...(found?.measures ?? []));
  if (state.loading) return;
  const why = state.device ? "press “Run the network here”" : "this browser cannot run it";
  say(found ? "Computed beforehand: the nearest of a few positions of the dials." : `This needs the network itself: ${why}.`);
}

async function whole() {
  try {
    if (!(await showWhole(state, engine))) show(); // something moved, or the reader stopped it
  } catch (error) {
    state.whole = false;
    if (!state.loading) failed(error);
  }
  ready();
}

function stop() {
  state.whole = false;
  say("Stopped.");
}

/** The result as a file: of the reader's own photograph all of it, where that can be made. */
async function download() {
  if (!state.whole && !at("whole").disabled) await whole();
  save(state);
}

// The network

async function start() {
  if (state.loading || !state.device) return;
  forgive();
  state.loading = true;
  state.whole = false;
  ready();
  say("Loading the network. Until then you see frames that were computed beforehand.");
  let problem = null;
  try {
    while (engine.model !== wanted() || engine.device !== state.device)
      await engine.load(wanted(), state.device, state.runtime[state.device], progress);
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
  if (state.device !== "webgpu") return refuse(`${error.message.replace(/\.$/, "")}.`);
  at("devices").querySelector("[value=processor]").checked = true;
  state.device = "wasm";
  start();
}

// What a reader does

const running = () => Boolean(engine.device);

function changed(fresh = false) {
  state.whole = false;
  if (!HOME) remember({ ...state, running: running() }, { fresh });
  show();
}

function choose(model) {
  forgive();
  brush.reset();
  Object.assign(state, { model, values: model.sliders.map((s) => s.start) });
  arrange();
  changed(true);
  if (running()) start(); // the large part is there already
}

/** Another photograph: the dials stay; one of the reader's own is taken as it is. */
export function take(photograph) {
  forgive();
  brush.reset();
  const { sliders } = state.model;
  Object.assign(state, photograph);
  const first = (s) => (state.own ? 0 : s.start);
  state.values = sliders.map((s, i) => (s.kind === "dial" ? state.values[i] : first(s)));
  arrange();
  changed(true);
}

/** Give the parts of the page the state. */
function arrange() {
  const { model, values } = state;
  const move = (i) => (value) => {
    forgive();
    values[i] = value;
    drawTriangle(model, values);
    changed();
  };
  at("says").textContent = model.says;
  at("sliders").replaceChildren(...model.sliders.map((spec, i) => slider(spec, values[i], move(i))));
  for (const [name, item] of [["model", model.title], ["image", state.own ? null : state.image]])
    for (const radio of root.querySelectorAll(`[name=live-${name}]`)) radio.checked = radio.value === item;
  brush.offer(model);
  drawTriangle(model, values);
  ready();
}

/** Show a view, see address.view(). */
function goTo({ run, ...shown }) {
  Object.assign(state, shown);
  brush.reset();
  arrange();
  show();
  if (run || running()) start();
}

async function copy() {
  const text = address({ ...state, running: running() });
  try {
    await navigator.clipboard.writeText(text);
    say("The address of this view is copied.");
  } catch {
    say(`The address of this view: ${text}`);
  }
}

/** Let a service worker give this page the headers that several threads need; it counts after a reload. */
async function isolated() {
  if (crossOriginIsolated || !navigator.serviceWorker || sessionStorage.isolated) return;
  sessionStorage.isolated = "asked"; // once: where it does not help, one thread is left
  await navigator.serviceWorker.register(here("../isolate.js"));
  await navigator.serviceWorker.ready;
  location.reload();
}

async function begin() {
  const { models, images: names, runtime, isolate } = await (await fetch(here("manifest.json"))).json();
  if (isolate) await isolated();
  if (!models.length) return say("This book contains no trained network: run `make runs` first.");
  const devices = await Engine.devices();
  const device = (HOME && devices.find((name) => name === "wasm")) || (devices[0] ?? null); // at home the lightest
  Object.assign(state, { runtime, image: names[0], device, model: models[0] });
  const named = (list, title) => list.map((item) => [item, title(item)]);
  const onDevice = (device) => {
    state.device = device;
    ready();
    if (running()) start();
  };
  at("models")?.append(...choices("model", named(models, (m) => m.title), choose));
  at("images")?.append(...choices("image", named(names, (name) => name), (name) => take({ image: name, own: null })));
  at("devices").append(...choices("device", named(devices, (device) => TITLES[device]), onDevice));
  at("devices").hidden = HOME || devices.length < 2;
  listenStage(brush);
  on("run", "click", start);
  on("whole", "click", whole);
  on("stop", "click", stop);
  on("download", "click", download);
  on("copy", "click", copy);
  on("methods", "toggle", show);
  listenFiles(take);
  brush.listen(changed);
  listenTriangle((values) => {
    state.values = values;
    arrange();
    changed();
  });
  wipe(0.25);
  const visit = () => goTo(view({ models, images: names }));
  visit();
  if (HOME) root.addEventListener("input", start, { once: true });
  else addEventListener("popstate", () => isView(location.hash) && visit());
  root.dataset.ready = "";
}

begin().catch((error) => refuse(`The page could not be set up: ${error.message}`));
