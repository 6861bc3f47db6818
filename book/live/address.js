// Every view has an address: the network, the photograph, the sliders, and whether the network runs.

/** Whether the end of an address names a view; that of a plain link to the page is the first view. */
export const isView = (hash) => hash === "" || hash.includes("network=");

/** The view that the address names; what it does not name, or what does not fit, is as at first. */
export function view({ models, images }) {
  const given = new URLSearchParams(location.hash.slice(1));
  const model = models.find(({ name }) => name === given.get("network")) ?? models[0];
  const image = images.find((name) => name === given.get("photograph")) ?? images[0];
  const numbers = (given.get("sliders") ?? "").split(",").map(Number);
  const { sliders } = model;
  const fit = numbers.length === sliders.length && numbers.every((v, i) => v >= 0 && v <= sliders[i].most);
  const values = fit ? numbers : sliders.map((s) => s.start);
  return { model, image, values, own: null, run: given.get("run") === "yes" };
}

function hash({ model, image, values, running }) {
  const parts = { network: model.name, photograph: image, sliders: values.map((v) => +v.toFixed(3)).join(",") };
  if (running) parts.run = "yes";
  return `#${new URLSearchParams(parts).toString().replaceAll("%2C", ",")}`;
}

let waiting = null; // {timer, now}: a slider's move that is not in the address yet

/** Put a view into the address: a new entry of the history for another network or photograph, and the
 *  same entry, a little later, for a slider that moves. */
export function remember(state, { fresh = false } = {}) {
  const now = hash(state);
  if (fresh) settle();
  clearTimeout(waiting?.timer);
  if (!fresh) waiting = { now, timer: setTimeout(settle, 200) };
  else if (now !== location.hash) history.pushState(null, "", now);
}

function settle() {
  if (waiting && waiting.now !== location.hash) history.replaceState(null, "", waiting.now);
  clearTimeout(waiting?.timer);
  waiting = null;
}

/** The whole address of a view. */
export function address(state) {
  return new URL(hash(state), location.href).href;
}
